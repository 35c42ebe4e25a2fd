"""How many bytes images hold in the registry, layers that are shared counted once."""

import logging
import time
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.common.database_errors import Outage, outage_of
from accounts.models import Account
from namespaces.models import Image, Namespace, Usage

DAYS = 90
# What pages may take is too short for counting.
ALL_AT_ONCE, ONE = "5min", "1min"

log = logging.getLogger(__name__)

# Configs and layers of every manifest that the registry still holds; manifests themselves weigh next to nothing. A blob
# has one size, whatever manifests claim.
_HELD = """
    SELECT {key} AS owner, part.digest, MAX(part.size) AS size
    FROM namespaces_repositorymanifest revision
    JOIN namespaces_descriptor part ON part.manifest_id = revision.manifest_id AND part.kind <> 'manifest'
    JOIN namespaces_image image ON image.id = revision.image_id
    JOIN namespaces_namespace namespace ON namespace.id = image.namespace_id
    WHERE revision.gone_at IS NULL {of_account}
    GROUP BY {key}, part.digest
"""
_SUMS = "SELECT owner, SUM(size) FROM ({held}) held GROUP BY owner"
_KEYS = {"image": "image.id", "namespace": "namespace.id", "account": "namespace.account_id"}


def measure(day: date) -> None:
    """Count everything anew, and keep the day's figure of each account and namespace for the chart.

    Where that takes too long for the database, each account by itself, those first whose figures are oldest: one that
    holds very much is left as it was, and no other.
    """
    try:
        _measure(day, ALL_AT_ONCE)
    except OperationalError as error:
        if outage_of(error) is not Outage.BUSY:
            raise
        log.warning("usage takes too long to count for all accounts at once; each is counted by itself")
        _measure_in_turns(day)


def _measure_in_turns(day: date) -> None:
    newest = Usage.objects.filter(account_id=OuterRef("pk")).order_by().values("account_id")
    last = Subquery(newest.annotate(last=Max("day")).values("last"))
    owners = Account.objects.filter(pk__in=Namespace.objects.values("account"))
    accounts = owners.annotate(last=last).order_by(F("last").asc(nulls_first=True), "id")
    ends = time.monotonic() + settings.USAGE_PASS
    for account in accounts:
        try:
            _measure(day, ONE, account=account.pk)
        except OperationalError as error:
            if outage_of(error) is not Outage.BUSY:
                raise
            log.warning("usage of account %s takes too long to count", account.handle)
            Usage.objects.get_or_create(
                account_id=account.pk, namespace_id=0, day=day, defaults={"stored_bytes": of_account(account)}
            )  # as it was, so that the others are next
        if time.monotonic() > ends:
            return


@transaction.atomic
def _measure(day: date, longest: str, *, account: int | None = None) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{longest}'")
    sums = {of: _sums(key, account) for of, key in _KEYS.items()}
    images, namespaces = Image.objects.all(), Namespace.objects.all()
    if account is not None:
        images, namespaces = images.filter(namespace__account=account), namespaces.filter(account=account)
    _save_changed(images, sums["image"])
    _save_changed(namespaces, sums["namespace"])
    owners = dict(namespaces.values_list("id", "account_id"))
    rows = [
        Usage(account_id=account, day=day, stored_bytes=sums["account"].get(account, 0))
        for account in set(owners.values())
    ]
    rows += [
        Usage(
            account_id=account,
            namespace_id=namespace,
            day=day,
            stored_bytes=sums["namespace"].get(namespace, 0),
        )
        for namespace, account in owners.items()
    ]
    Usage.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["account_id", "namespace_id", "day"],
        update_fields=["stored_bytes"],
    )


def of_account(account: Account) -> int:
    """Return what the account held when last measured; not the sum of its namespaces, which may share layers."""
    newest = Usage.objects.filter(account_id=account.pk, namespace_id=0).order_by("-day").first()
    return newest.stored_bytes if newest else 0


def history(account: Account, *, since: date, namespace: Namespace | None = None) -> list[tuple[date, int]]:
    """(day, bytes) in order, the days that were measured."""
    rows = Usage.objects.filter(
        account_id=account.pk, namespace_id=namespace.pk if namespace else 0, day__gte=since
    )
    return list(rows.order_by("day").values_list("day", "stored_bytes"))


def first_day() -> date:
    """From which on growth is shown."""
    return today() - timedelta(days=DAYS)


def today() -> date:
    """Return the day that is measured: the installation's, whoever looks."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def shared_by_namespaces(account: Account) -> int:
    """Bytes that are kept once although several namespaces hold them."""
    parts = Namespace.objects.filter(account=account).aggregate(sum=Sum("stored_bytes"))["sum"] or 0
    return max(parts - of_account(account), 0)


def _sums(key: str, account: int | None) -> dict[int, int]:
    of_account, values = ("", []) if account is None else ("AND namespace.account_id = %s", [account])
    with connection.cursor() as cursor:
        cursor.execute(_SUMS.format(held=_HELD.format(key=key, of_account=of_account)), values)
        return {owner: int(stored_bytes) for owner, stored_bytes in cursor.fetchall()}


def _save_changed(rows: QuerySet[Any], sums: dict[int, int]) -> None:
    """Write only what changed."""
    changed = [row for row in rows.only("id", "stored_bytes") if row.stored_bytes != sums.get(row.pk, 0)]
    for row in changed:
        row.stored_bytes = sums.get(row.pk, 0)
    rows.bulk_update(changed, ["stored_bytes"], batch_size=500)
