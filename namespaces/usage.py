"""How many bytes images hold in the registry, layers that are shared counted once."""

from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Account
from namespaces.models import Image, Namespace, Usage

DAYS = 90

# Configs and layers of every manifest that the registry still holds; manifests themselves weigh next to nothing.
_HELD = """
    SELECT DISTINCT {key} AS owner, part.digest, part.size
    FROM namespaces_revision revision
    JOIN namespaces_part part ON part.manifest_id = revision.manifest_id AND part.kind <> 'manifest'
    JOIN namespaces_image image ON image.id = revision.image_id
    JOIN namespaces_namespace namespace ON namespace.id = image.namespace_id
    WHERE revision.gone_at IS NULL
"""
_SUMS = "SELECT owner, SUM(size) FROM ({held}) held GROUP BY owner"
_KEYS = {"image": "image.id", "namespace": "namespace.id", "account": "namespace.account_id"}


@transaction.atomic
def measure(day: date) -> None:
    """Counts everything anew, and keeps the day's figure of each account and namespace for the chart."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL statement_timeout = '5min'"
            )  # what pages may take is too short for this
    sums = {of: _sums(key) for of, key in _KEYS.items()}
    _note(Image, sums["image"])
    _note(Namespace, sums["namespace"])
    owners = dict(Namespace.objects.values_list("id", "account_id"))
    rows = [
        Usage(account_id=account, day=day, octets=sums["account"].get(account, 0))
        for account in set(owners.values())
    ]
    rows += [
        Usage(account_id=account, namespace_id=namespace, day=day, octets=sums["namespace"].get(namespace, 0))
        for namespace, account in owners.items()
    ]
    Usage.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["account_id", "namespace_id", "day"],
        update_fields=["octets"],
    )


def of_account(account: Account) -> int:
    """What the account held when last measured; not the sum of its namespaces, which may share layers."""
    newest = Usage.objects.filter(account_id=account.pk, namespace_id=0).order_by("-day").first()
    return newest.octets if newest else 0


def history(account: Account, *, since: date, namespace: Namespace | None = None) -> list[tuple[date, int]]:
    """(day, bytes) in order, the days that were measured."""
    rows = Usage.objects.filter(
        account_id=account.pk, namespace_id=namespace.pk if namespace else 0, day__gte=since
    )
    return list(rows.order_by("day").values_list("day", "octets"))


def first_day() -> date:
    """From which on growth is shown."""
    return timezone.localdate() - timedelta(days=DAYS)


def shared_by_namespaces(account: Account) -> int:
    """Bytes that are kept once although several namespaces hold them."""
    parts = Namespace.objects.filter(account=account).aggregate(sum=Sum("octets"))["sum"] or 0
    return max(parts - of_account(account), 0)


def _sums(key: str) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_SUMS.format(held=_HELD.format(key=key)))
        return {owner: int(octets) for owner, octets in cursor.fetchall()}


def _note(model: Any, sums: dict[int, int]) -> None:
    """Writes only what changed."""
    changed = [row for row in model.objects.only("id", "octets") if row.octets != sums.get(row.pk, 0)]
    for row in changed:
        row.octets = sums.get(row.pk, 0)
    model.objects.bulk_update(changed, ["octets"], batch_size=500)
