"""The only road to an account's rows: they are loaded through the membership of who asks.

A stranger gets Absent whether the row exists or not; a member whose role is too small, Refused and why.
"""

from accounts.common.errors import Absent, Refused
from accounts.models import Account, ApiToken, Invitation, Member, RegistryUser
from accounts.principal import Principal
from accounts.roles import Act, Role, may, refusal
from accounts.speech import spoken


def account(by: Principal, handle: str, act: Act = Act.ACCOUNT_VIEW) -> Account:
    """Return the open account with this handle, if `by` is a member whose role allows `act`."""
    member = membership(by, handle)
    if not may(Role(member.role), act):
        raise Refused(spoken(refusal(Role(member.role), act)))
    return member.account


def membership(by: Principal, handle: str) -> Member:
    """Return the asking person's own place in an open account."""
    found = (
        Member.objects.select_related("account")
        .filter(person_id=by.person_id, account__handle=handle, account__closed_at=None)
        .first()
    )
    if not found:
        raise Absent
    return found


def role(by: Principal, account: Account) -> Role:
    return Role(membership(by, account.handle).role)


def user(by: Principal, handle: str, username: str, act: Act = Act.ACCOUNT_VIEW) -> RegistryUser:
    owner = account(by, handle, act)
    found = RegistryUser.objects.select_related("account").filter(account=owner, username=username).first()
    if not found:
        raise Absent
    return found


def member(by: Principal, handle: str, person_id: int, act: Act = Act.MEMBERS_MANAGE) -> Member:
    owner = account(by, handle, act)
    # Not person_id=: a number past 64 bits is then no person, instead of an error of SQLite.
    found = (
        Member.objects.select_related("account", "person").filter(account=owner, person__pk=person_id).first()
    )
    if not found:
        raise Absent
    return found


def invitation(by: Principal, handle: str, id: int) -> Invitation:  # noqa: A002
    owner = account(by, handle, Act.MEMBERS_MANAGE)
    found = Invitation.objects.select_related("account").filter(account=owner, pk=id).first()
    if not found:
        raise Absent
    return found


def api_token(by: Principal, id: int) -> ApiToken:  # noqa: A002
    found = ApiToken.objects.select_related("person").filter(person_id=by.person_id, pk=id).first()
    if not found:
        raise Absent
    return found


def operator(by: Principal) -> None:
    """Let operators pass; to everybody else the system pages do not exist."""
    if not by.operator:
        raise Absent
