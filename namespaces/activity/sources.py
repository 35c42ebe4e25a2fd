"""Which rows an account's activity is made of, and which of them a filter leaves."""

from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any, Final

from django.db.models import BigIntegerField, ExpressionWrapper, F, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Concat
from django.utils import timezone

from accounts import selectors
from accounts.audit_actions import AUDIT_KINDS
from accounts.common import timestamps
from accounts.models import Account, Denial, RegistryUser
from namespaces.models import PullStats, TagHistoryEntry

PUSHES, PULLS, DENIALS = "pushes", "pulls", "denials"
# What the activity can be narrowed to beside AUDIT_KINDS: the requests of clients, which are no changes by people.
CLIENT_KINDS: Final[dict[str, tuple[str, ...]]] = {
    PUSHES: (PUSHES,),
    PULLS: (PULLS,),
    DENIALS: (DENIALS,),
    "requests": (PUSHES, PULLS, DENIALS),
    "all": (PUSHES, PULLS, DENIALS),  # and every change
}
KINDS: Final = (*AUDIT_KINDS, *CLIENT_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """`kind` is one of KINDS, "" for every change by people; `who`: a part of an address, username or description.

    `since` and `until` are days of `zone` (TIME_ZONE), both included.
    """

    search: str = ""
    kind: str = ""
    who: str = ""
    since: date | None = None
    until: date | None = None
    zone: tzinfo | None = None


def sources(account: Account, asked: ActivityFilter) -> list[QuerySet[Any]]:
    """Return querysets for `paginate`, which makes one list of them; from one to four."""
    wanted = CLIENT_KINDS.get(asked.kind, ())
    if not wanted:
        return [_changes(account, asked)]
    named = {PUSHES: _pushes, PULLS: _pulls, DENIALS: _denials}
    # Rows of several tables share one order: the moment, then a key that no two rows have.
    makers = [_changes] if asked.kind == "all" else []
    makers += [named[name] for name in wanted]
    return [_ordered(make(account, asked), number) for number, make in enumerate(makers)]


def _ordered(rows: QuerySet[Any], number: int) -> QuerySet[Any]:
    key = ExpressionWrapper(F("id") * Value(4) + Value(number), BigIntegerField())
    moment = {} if hasattr(rows.model, "at") else {"at": F("last_at")}
    found: QuerySet[Any] = rows.annotate(**moment, key=key).order_by("-at", "-key")
    return found


def _changes(account: Account, asked: ActivityFilter) -> QuerySet[Any]:
    kind = asked.kind if asked.kind in AUDIT_KINDS else ""
    return selectors.activity_of(
        account, search=asked.search, kind=kind, who=asked.who, since=asked.since, until=asked.until, zone=asked.zone
    )  # fmt: skip


def _pushes(account: Account, asked: ActivityFilter) -> QuerySet[Any]:
    """Return what clients did to tags; what was done in the panel is among the changes."""
    found = TagHistoryEntry.objects.filter(image__namespace__account=account)
    found = found.exclude(how=TagHistoryEntry.How.PANEL).select_related("image__namespace")
    found = _within(found, "at", asked)
    if asked.who:
        found = found.filter(_done_by("by", account, asked.who))
    return _searched(found, "by", account, asked.search)


def _pulls(account: Account, asked: ActivityFilter) -> QuerySet[Any]:
    found = PullStats.objects.filter(image__namespace__account=account, count__gt=0)
    found = _within(found.select_related("image__namespace"), "last_at", asked)
    if asked.who:
        found = found.filter(_done_by("username", account, asked.who))
    return _searched(found, "username", account, asked.search)


def _denials(account: Account, asked: ActivityFilter) -> QuerySet[Any]:
    found = Denial.objects.filter(user__account=account).select_related("user__account")
    found = _within(found, "last_at", asked)
    if asked.who:
        found = found.filter(_named(asked.who, "user__"))
    if asked.search:
        found = found.filter(Q(repository__icontains=asked.search) | _named(asked.search, "user__"))
    return found


def _searched(rows: QuerySet[Any], by: str, account: Account, text: str) -> QuerySet[Any]:
    if not text:
        return rows
    parts = "image__namespace__name", Value("/"), "image__name", Value(":"), "tag"
    rows = rows.annotate(named=Concat(*parts, output_field=TextField()))
    return rows.filter(Q(named__icontains=text) | _done_by(by, account, text))


def _done_by(field: str, account: Account, text: str) -> Q:
    """Of users that are gone the username alone is known."""
    users = RegistryUser.objects.filter(_named(text), account=account).values("username")
    return Q(**{f"{field}__in": Subquery(users)}) | Q(**{field: text})


def _named(text: str, path: str = "") -> Q:
    return Q(**{f"{path}description__icontains": text}) | Q(**{f"{path}username__icontains": text})


def _within(rows: QuerySet[Any], field: str, asked: ActivityFilter) -> QuerySet[Any]:
    zone = asked.zone or timezone.get_default_timezone()
    if asked.since:
        rows = rows.filter(**{f"{field}__gte": timestamps.start_of(asked.since, zone)})
    if asked.until:
        rows = rows.filter(**{f"{field}__lt": timestamps.end_of(asked.until, zone)})
    return rows
