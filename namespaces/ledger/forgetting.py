"""Forgets old entries of the access ledger, and makes the totals of the days that are left."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Aggregate, Exists, Max, Min, OuterRef, QuerySet, Subquery, Sum, TextField

from namespaces.models import LedgerEntry, LedgerTotal
from namespaces.models.ledger import NETWORKS_MAX

FORGOTTEN_AT_ONCE = 5000
COUNTED_AT_ONCE = 500


def forget_old(now: datetime) -> None:
    """Delete some at a time: hundreds of thousands in one statement would pass the database's time limit."""
    before = datetime.combine(
        (now - timedelta(days=settings.ACCESS_LEDGER_DAYS)).astimezone(UTC), time.min, tzinfo=UTC
    )
    old = LedgerEntry.objects.filter(day__lt=before.date()).order_by("day")
    while ids := list(old.values_list("id", flat=True)[:FORGOTTEN_AT_ONCE]):
        LedgerEntry.objects.filter(id__in=ids).delete()
    last, totals = 0, LedgerTotal.objects.filter(first_at__lt=before).order_by("id")
    while ids := list(totals.filter(id__gt=last).values_list("id", flat=True)[:COUNTED_AT_ONCE]):
        _count_anew(ids)
        last = ids[-1]


@transaction.atomic
def _count_anew(ids: list[int]) -> None:
    """Make totals of the days that are left. Whoever writes days locks their totals first, so none comes meanwhile."""
    totals = LedgerTotal.objects.filter(id__in=ids).order_by("id")
    list(totals.select_for_update().values_list("id"))
    same = {name: OuterRef(name) for name in ("namespace", "image_name", "action")}
    of_users = LedgerEntry.objects.filter(user=OuterRef("user"), secret=OuterRef("secret"), **same)
    of_anonymous = LedgerEntry.objects.filter(user=None, **same)
    for rows, days in (
        (totals.exclude(user=None), of_users),
        (totals.filter(user=None), of_anonymous),
    ):
        rows.filter(~Exists(days)).delete()
        rows.update(
            count=_of(days, Sum("count")),
            confirmed_count=_of(days, Sum("confirmed_count")),
            first_at=_of(days, Min("first_at")),
            confirmed_at=_of(days, Max("confirmed_at")),
        )
        _name_networks_anew(rows, _of(days, _Joined("networks")))


def _name_networks_anew(totals: QuerySet[LedgerTotal], of_days: Subquery) -> None:
    """Leave out networks of days that are gone: they would keep out new ones for ever."""
    changed = []
    for pk, networks, words in totals.annotate(of_days=of_days).values_list("pk", "networks", "of_days"):
        there = set(words.split())
        kept = [each for each in networks.split() if each in there]
        named = " ".join([*kept, *sorted(there.difference(kept))][:NETWORKS_MAX])
        if named != networks:
            changed.append(LedgerTotal(pk=pk, networks=named))
    LedgerTotal.objects.bulk_update(changed, ["networks"])


class _Joined(Aggregate):
    """All texts, with blanks between."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, ' ')"
    output_field = TextField()

    def as_sqlite(self, *arguments: Any, **more: Any) -> Any:
        return self.as_sql(*arguments, function="GROUP_CONCAT", **more)


def _of(days: QuerySet[LedgerEntry], total: Aggregate) -> Subquery:
    return Subquery(days.order_by().values("namespace").annotate(total=total).values("total"))
