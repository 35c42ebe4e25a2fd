"""Load an account's rows through the membership of whoever asks. Views and API load rows in no other way.

A stranger gets NotFound, whether the row exists or not. A member whose role does not allow it gets Forbidden, and one
without the second factor that the account requires SecondFactorRequired. To an API token
of one account all others are a stranger's: rows are looked up by `Principal.person_in`.
"""

from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.common.errors import Forbidden, NotFound
from accounts.common.expiring import EXPIRES_SOON
from accounts.common.prepared_queries import prepared
from accounts.common.translation import translate
from accounts.expiring_users import expiring
from accounts.models import (
    Account,
    ApiToken,
    IdTokenIssuer,
    Invitation,
    Member,
    RefusedIdToken,
    RegistryUser,
    Secret,
    TrustPolicy,
)
from accounts.principal import Principal
from accounts.roles import Permission, Role, denial_text, has_permission
from accounts.second_factors import requirement


def account(by: Principal, handle: str, permission: Permission = Permission.ACCOUNT_VIEW) -> Account:
    """Return the open account with this handle, with `.role`, if `by` is a member whose role allows `permission`."""
    member = membership(by, handle)
    return in_role(by, member.account, member.role, permission)


def account_with_expiring(by: Principal, handle: str) -> Account:
    """As `account`, with `.expiring_count`: of its users, those that expire soon, or whose last password ends soon.

    It costs no statement of its own.
    """
    now = timezone.now()
    found = _membership_with_expiring(
        person_id=by.person_in(handle), handle=handle, now=now, until=now + EXPIRES_SOON
    )
    if not found:
        raise NotFound
    opened = in_role(by, found[0].account, found[0].role, Permission.ACCOUNT_VIEW)
    opened.expiring_count = found[0].expiring_count  # type: ignore[attr-defined]
    return opened


@prepared
def _membership_with_expiring(
    *, person_id: int, handle: str, now: datetime, until: datetime
) -> QuerySet[Member]:
    users = RegistryUser.objects.filter(expiring(now, until), account=OuterRef("account_id"))
    counted = users.order_by().values("account").annotate(n=Count("pk")).values("n")
    found = Member.objects.select_related("account").order_by()
    found = found.filter(person_id=person_id, account__handle=handle, account__closed_at=None)
    return found.annotate(expiring_count=Coalesce(Subquery(counted), 0))


def in_role(by: Principal, account: Account, role: str, permission: Permission) -> Account:
    """Return the account with `role`, which `by` has in it, if that role allows `permission`."""
    requirement.admit_to(account, by)
    account.role = Role(role)
    if not has_permission(account.role, permission):
        raise Forbidden(translate(denial_text(permission)))
    return account


def membership_filter(person: Any, handle: str, path: str) -> dict[str, Any]:
    """Return what keeps rows to the open account with this handle, if `person` (an id) is a member.

    `path` leads from the rows to the account.
    `F(f"{path}__members__role")` is then the role.
    """
    return {
        f"{path}__handle": handle,
        f"{path}__closed_at": None,
        f"{path}__members__person_id": person,
    }


def membership(by: Principal, handle: str) -> Member:
    """Return the asking person's own place in an open account."""
    found = _membership(person_id=by.person_in(handle), handle=handle)
    if not found:
        raise NotFound
    requirement.admit_to(found[0].account, by)
    return found[0]


@prepared
def _membership(*, person_id: int, handle: str) -> QuerySet[Member]:
    found = Member.objects.select_related("account").order_by()  # not by the person's address
    return found.filter(person_id=person_id, account__handle=handle, account__closed_at=None)


def user(
    by: Principal, handle: str, username: str, permission: Permission = Permission.ACCOUNT_VIEW
) -> RegistryUser:
    owner = account(by, handle, permission)
    found = RegistryUser.objects.filter(account=owner, username=username).first()
    if not found:
        raise NotFound
    found.account = owner
    return found


def secret(
    by: Principal,
    handle: str,
    username: str,
    id: int,  # noqa: A002
    permission: Permission = Permission.USERS_MANAGE,
) -> Secret:
    """Return a password of the user, ended or not."""
    owner = user(by, handle, username, permission)
    found = Secret.objects.filter(user=owner, pk=id).first()
    if not found:
        raise NotFound
    found.user = owner
    return found


def trust_policy(
    by: Principal,
    handle: str,
    username: str,
    id: int,  # noqa: A002
    permission: Permission = Permission.USERS_MANAGE,
) -> TrustPolicy:
    owner = user(by, handle, username, permission)
    found = TrustPolicy.objects.select_related("issuer").filter(user=owner, pk=id).first()
    if not found:
        raise NotFound
    found.user = owner
    return found


def refused_id_token(
    by: Principal,
    handle: str,
    username: str,
    id: int,  # noqa: A002
    permission: Permission = Permission.USERS_MANAGE,
) -> RefusedIdToken:
    owner = user(by, handle, username, permission)
    found = RefusedIdToken.objects.select_related("issuer", "policy__issuer").filter(user=owner, pk=id)
    refused = found.first()
    if not refused:
        raise NotFound
    refused.user = owner
    if refused.policy:
        refused.policy.user = owner
    return refused


def issuer(by: Principal, id: int) -> IdTokenIssuer:  # noqa: A002
    """Return an issuer of the installation, which is the operators' business."""
    operator(by)
    found = IdTokenIssuer.objects.filter(account=None, pk=id).first()
    if not found:
        raise NotFound
    return found


def own_issuer(by: Principal, handle: str, id: int) -> IdTokenIssuer:  # noqa: A002
    """Return an issuer of the account's own."""
    owner = account(by, handle, Permission.USERS_MANAGE)
    found = IdTokenIssuer.objects.filter(account=owner, pk=id).first()
    if not found:
        raise NotFound
    found.account = owner
    return found


def member(
    by: Principal, handle: str, person_id: int, permission: Permission = Permission.MEMBERS_MANAGE
) -> Member:
    owner = account(by, handle, permission)
    # Not person_id=: a number past 64 bits is then no person, instead of an error of SQLite.
    found = (
        Member.objects.select_related("account", "person").filter(account=owner, person__pk=person_id).first()
    )
    if not found:
        raise NotFound
    return found


def invitation(by: Principal, handle: str, id: int) -> Invitation:  # noqa: A002
    owner = account(by, handle, Permission.MEMBERS_MANAGE)
    found = Invitation.objects.select_related("account").filter(account=owner, pk=id).first()
    if not found:
        raise NotFound
    return found


def api_token(by: Principal, id: int) -> ApiToken:  # noqa: A002
    """Return a token of the person; by a token of one account, only one of the same account."""
    rows = ApiToken.objects.select_related("person").filter(person_id=by.person_id, pk=id)
    found = rows.filter(reachable(by, "account")).first()
    if not found:
        raise NotFound
    return found


def reachable(by: Principal, path: str = "") -> Q:
    """Return what keeps rows to the accounts that the token reaches. `path` leads to the account; "": it is the row."""
    return Q(**{f"{path}__handle" if path else "handle": by.only_account}) if by.only_account else Q()


def operator(by: Principal) -> None:
    """Let operators pass; to everybody else the system pages do not exist."""
    if not by.operator:
        raise NotFound
