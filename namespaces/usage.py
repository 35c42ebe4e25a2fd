"""How many bytes images hold in the registry, layers that are shared counted once."""

import logging
import time
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.common.database_errors import Outage, outage_of
from accounts.common.long_statements import LONGEST, more_time
from accounts.models import Account
from namespaces import usage_figures
from namespaces.models import FormerManifest, Image, Namespace, Usage
from namespaces.usage_figures import Figures

DAYS = 90
ALL_AT_ONCE, ONE = LONGEST, "1min"

log = logging.getLogger(__name__)

_FIELDS = ["stored_bytes", "untagged_bytes", "uncollected_bytes"]


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
    left = FormerManifest.objects.values("account_id")
    owners = (
        Q(pk__in=Namespace.objects.values("account"))
        | Q(pk__in=left)
        | Q(pk__in=_held_when_last_counted().values("pk"))
    )
    accounts = (
        Account.objects.filter(owners).annotate(last=last).order_by(F("last").asc(nulls_first=True), "id")
    )
    ends = time.monotonic() + settings.USAGE_PASS
    for account in accounts:
        try:
            _measure(day, ONE, account=account.pk)
        except OperationalError as error:
            if outage_of(error) is not Outage.BUSY:
                raise
            log.warning("usage of account %s takes too long to count", account.handle)
            Usage.objects.get_or_create(
                account_id=account.pk, namespace_id=0, day=day, defaults=_as_it_was(account)
            )  # as it was, so that the others are next
        if time.monotonic() > ends:
            return


def _as_it_was(account: Account) -> dict[str, Any]:
    last = newest(account)
    return {field: getattr(last, field) for field in (*_FIELDS, "counted_at")}


def _measure(day: date, longest: str, *, account: int | None = None) -> None:
    with more_time(longest):
        _count(day, account)


def _count(day: date, account: int | None) -> None:
    counted_at = timezone.now()
    figures = usage_figures.count(account)
    images, namespaces = Image.objects.all(), Namespace.objects.all()
    if account is not None:
        images, namespaces = images.filter(namespace__account=account), namespaces.filter(account=account)
    _save_changed(images, figures["image"])
    _save_changed(namespaces, figures["namespace"])
    owners = dict(namespaces.values_list("id", "account_id"))
    # Also who has nothing any more: else the last figure would stand for ever.
    before = _held_when_last_counted().filter(**({} if account is None else {"pk": account}))
    accounts = {*owners.values(), *figures["account"], *before.values_list("pk", flat=True)}
    of = {(each, 0): figures["account"][each] for each in accounts}
    of |= {(owner, namespace): figures["namespace"][namespace] for namespace, owner in owners.items()}
    if account is None:
        of[Usage.EVERYBODY, 0] = figures["everybody"][0]
    Usage.objects.bulk_create(
        [
            Usage(account_id=owner, namespace_id=namespace, day=day, counted_at=counted_at, **_columns(each))
            for (owner, namespace), each in of.items()
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["account_id", "namespace_id", "day"],
        update_fields=[*_FIELDS, "counted_at"],
    )


def _held_when_last_counted() -> QuerySet[Account]:
    """Return the accounts that had something in the registry then, held or waiting."""
    last = Usage.objects.filter(account_id=OuterRef("pk"), namespace_id=0).order_by("-day")
    held = last.annotate(held=F("stored_bytes") + F("uncollected_bytes")).values("held")[:1]
    return Account.objects.order_by().alias(held=Subquery(held)).filter(held__gt=0)


def newest(account: Account | None, namespace: Namespace | None = None) -> Usage:
    """Return what was last counted; nothing, and no moment, where nothing was. `account`: None for everybody."""
    owner = account.pk if account else Usage.EVERYBODY
    rows = Usage.objects.filter(account_id=owner, namespace_id=namespace.pk if namespace else 0)
    return rows.order_by("-day").first() or Usage(account_id=owner)


def of_account(account: Account) -> int:
    """Return what the account held when last counted; not the sum of its namespaces, which may share layers."""
    return newest(account).stored_bytes


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


def _columns(figures: Figures) -> dict[str, int]:
    return dict(zip(_FIELDS, (figures.stored, figures.untagged, figures.uncollected), strict=True))


def _save_changed(rows: QuerySet[Any], figures: dict[int, Figures]) -> None:
    """Write only what changed."""
    changed = []
    for row in rows.only("id", *_FIELDS):
        columns = _columns(figures.get(row.pk) or Figures())
        if any(getattr(row, field) != value for field, value in columns.items()):
            for field, value in columns.items():
                setattr(row, field, value)
            changed.append(row)
    rows.bulk_update(changed, _FIELDS, batch_size=500)
