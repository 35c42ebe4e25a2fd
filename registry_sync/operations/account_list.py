"""All accounts of the installation, for operators: what each holds, who owns it, and whether it is served."""

from typing import Any

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.common.counted import number_of
from accounts.models import Account, AuditEvent, Member, RegistryUser
from accounts.roles import Role
from namespaces.models import Namespace, Usage

EVENTS_SHOWN = 20
BY_HANDLE, BY_SIZE = "handle", "-stored"
SORTS = [BY_HANDLE, BY_SIZE]
_ACTIVE_OWNERS = Member.objects.filter(account=OuterRef("pk"), role=Role.OWNER, person__is_active=True)
_IN_STATE = {
    "open": Q(closed_at=None, suspended_at=None),
    "suspended": Q(closed_at=None) & ~Q(suspended_at=None),
    "closed": ~Q(closed_at=None),
    "ownerless": Q(closed_at=None) & ~Exists(_ACTIVE_OWNERS),
}
STATES = list(_IN_STATE)


def accounts(*, search: str = "", state: str = "", sort: str = BY_HANDLE) -> QuerySet[Any]:
    """Return accounts with `search` in handle, name or an owner's address. `state` is one of STATES, "" for all.

    Each has `.stored_bytes`, `.user_count` and `.namespace_count`. `sort` is one of SORTS.
    """
    found = Account.objects.all()
    if search:
        owners = Member.objects.filter(
            account=OuterRef("pk"), role=Role.OWNER, person__email__icontains=search
        )
        found = found.filter(Q(handle__icontains=search) | Q(name__icontains=search) | Exists(owners))
    if state:
        found = found.filter(_IN_STATE[state])
    order = ("-stored_bytes", "-id") if sort == BY_SIZE else ("handle",)
    return _described(found).order_by(*order)


def one(handle: str) -> Account | None:
    """As in `accounts`, closed or not."""
    return _described(Account.objects.filter(handle=handle)).first()


def owners(rows: list[Account]) -> dict[int, list[Member]]:
    """Return account id → owners with `.person`, by address. One statement."""
    found: dict[int, list[Member]] = {account.pk: [] for account in rows}
    for member in Member.objects.filter(account__in=rows, role=Role.OWNER).select_related("person"):
        found[member.account_id].append(member)
    return found


def state_of(account: Account) -> str:
    """Return closed, suspended or open."""
    if account.closed_at:
        return "closed"
    return "suspended" if account.suspended_at else "open"


def events_of(account: Account) -> QuerySet[AuditEvent]:
    """Return the newest of what happened to the account as a whole."""
    whole = Q(action__startswith="account.") | Q(action__startswith="member.")
    return AuditEvent.objects.filter(whole, account_id=account.pk).order_by("-at", "-id")[:EVENTS_SHOWN]


def _described(found: QuerySet[Account]) -> QuerySet[Any]:
    newest = Usage.objects.filter(account_id=OuterRef("pk"), namespace_id=0).order_by("-day")
    stored = Subquery(newest.values("stored_bytes")[:1], output_field=BigIntegerField())
    return found.annotate(
        stored_bytes=Coalesce(stored, 0),
        user_count=number_of(RegistryUser.objects.filter(account=OuterRef("pk"))),
        namespace_count=number_of(Namespace.objects.filter(account=OuterRef("pk"))),
    )
