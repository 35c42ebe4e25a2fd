"""Who belongs to an account: changing a role, leaving."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Forbidden, NotFound
from accounts.models import Account, Member
from accounts.principal import Principal
from accounts.roles import Role
from accounts.services import invitations


@transaction.atomic
def change_role(*, by: Principal, member: Member, role: str) -> Member:
    after = invitations.checked_role(role)
    before = _locked(member).role
    if before != after:
        _keep_an_owner(member, losing=before == Role.OWNER)
        invitations.void_of(by=by, member=member, role=after)
        member.role = after
        member.save(update_fields=["role"])
        audit.record(by=by, action=AuditAction.MEMBER_ROLE_CHANGED, kind="member", id=member.pk,
                     label=str(member.person), account=member.account,
                     before={"role": before}, after={"role": after})  # fmt: skip
    return member


@transaction.atomic
def remove(*, by: Principal, member: Member) -> None:
    _keep_an_owner(member, losing=_locked(member).role == Role.OWNER)
    audit.record(by=by, action=AuditAction.MEMBER_REMOVED, kind="member", id=member.pk, label=str(member.person),
                 account=member.account, before={"role": member.role})  # fmt: skip
    invitations.void_of(by=by, member=member, role=None)
    member.delete()


def _locked(member: Member) -> Member:
    """Lock the account, so that two owners who leave at once cannot both see the other stay.

    The member is then read again: a role that was seen before may have changed while we waited.
    """
    Account.objects.select_for_update().get(pk=member.account_id)
    try:
        member.refresh_from_db(fields=["role"])
    except Member.DoesNotExist:
        raise NotFound from None
    return member


def _keep_an_owner(member: Member, *, losing: bool) -> None:
    others = Member.objects.filter(account=member.account_id, role=Role.OWNER).exclude(pk=member.pk)
    if losing and not others.exists():
        raise Forbidden(_("An account needs at least one owner; make someone else an owner first."))
