"""The denied requests of an account: filtered, in any order, each with what would allow it now."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Lower

from accounts.common.pagination import PAGE_SIZE, Page, paginate
from accounts.models import Account, Denial, DropCounter, RegistryUser
from namespaces import access
from namespaces.denial_recheck import with_current_decision

NEWEST = "-denied"
_KEYS: dict[str, Any] = {
    "denied": F("last_at"),
    "count": F("count"),
    "user": Lower("user__description"),
    "repository": F("repository"),
}
SORTS = [f"{way}{name}" for name in _KEYS for way in ("", "-")]
SIGN_IN = "sign-in"  # whatever was requested
ACTIONS = ["pull", "push", "delete", Denial.MOUNT, "list", SIGN_IN]
ANSWERS = ["yes", "no"]

_BLOCKED = [str(reason) for reason in access.BLOCKED_REASONS]
_PULL_REQUEST = [str(reason) for reason in access.PULL_REQUEST_REASONS]
_MISSING_LEVEL = [str(reason) for reason in access.MISSING_LEVEL_REASONS]
_KINDS = {
    "level": Q(reason__in=_MISSING_LEVEL),
    "namespace": Q(reason=str(access.NO_NAMESPACE_REASON)),
    "user": Q(repository="", reason__in=_BLOCKED),
    "password": Q(repository="") & ~Q(reason__in=_BLOCKED) & ~Q(action=Denial.ID_TOKEN),
    "id_token": Q(action=Denial.ID_TOKEN) | Q(reason__in=_PULL_REQUEST),
    "mount": Q(action=Denial.MOUNT),
}
# What is left: a name that no repository can have.
_KINDS["name"] = ~(
    _KINDS["level"] | _KINDS["namespace"] | _KINDS["mount"] | _KINDS["id_token"] | Q(repository="")
)
KINDS = list(_KINDS)


@dataclass(frozen=True)
class DenialFilter:
    """`action` is one of ACTIONS, `kind` of KINDS, `allowed` of ANSWERS; "" is any. Names are whole."""

    search: str = ""
    username: str = ""
    namespace: str = ""
    repository: str = ""
    action: str = ""
    kind: str = ""
    allowed: str = ""


def find_denials(account: Account, chosen: DenialFilter, *, sort: str = NEWEST) -> QuerySet[Denial]:
    """Return them in an order that can be paged. `sort` is one of SORTS.

    Whether a request is allowed now is asked of the evaluator, row by row: an account has few enough of them
    (accounts/access_denials.py).
    """
    found = Denial.objects.filter(_matching(chosen), user__account=account).select_related("user__account")
    if chosen.allowed:
        wanted = chosen.allowed == "yes"
        judged = with_current_decision(list(found))
        found = found.filter(pk__in=[row.pk for row in judged if row.allowed_now is wanted])
    way, name = sort[: -len(sort.lstrip("-"))], sort.lstrip("-")
    return found.annotate(sort_key=_KEYS[name]).order_by(f"{way}sort_key", f"{way}id")


def denial_page(
    account: Account,
    chosen: DenialFilter,
    *,
    sort: str = NEWEST,
    cursor: str = "",
    size: int = PAGE_SIZE,
    query: dict[str, str] | None = None,
) -> Page[Denial]:
    """Return a page of them, judged. Raise Invalid on "page"."""
    page = paginate(find_denials(account, chosen, sort=sort), cursor=cursor, size=size, query=query)
    with_current_decision(page.rows)
    return page


def dropped_count(account: Account) -> int:
    """How many denied requests of the account's users were not kept."""
    users = RegistryUser.objects.filter(account=account).values("username")
    rows = DropCounter.objects.filter(kind=DropCounter.Kind.DENIALS, username__in=users)
    return rows.aggregate(sum=Sum("count"))["sum"] or 0


def _matching(chosen: DenialFilter) -> Q:
    found = Q()
    if chosen.search:
        user = Q(user__description__icontains=chosen.search) | Q(user__username__icontains=chosen.search)
        found &= user | Q(repository__icontains=chosen.search)
    if chosen.username:
        found &= Q(user__username=chosen.username)
    if chosen.namespace:
        found &= Q(repository__startswith=f"{chosen.namespace}/")
    if chosen.repository:
        found &= Q(repository=chosen.repository)
    if chosen.action:
        found &= Q(repository="") if chosen.action == SIGN_IN else Q(action=chosen.action)
    if chosen.kind:
        found &= _KINDS[chosen.kind]
    return found
