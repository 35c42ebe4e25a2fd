"""Who belongs to an account: inviting by link, changing a role, leaving."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, secrets
from accounts.errors import Absent, Invalid, Refused
from accounts.models import Account, Invitation, Member
from accounts.peppers import digests
from accounts.principal import Principal
from accounts.roles import Role

INVITATION_LIFE = timedelta(days=7)


@transaction.atomic
def invite(*, by: Principal, account: Account, role: str) -> tuple[Invitation, str]:
    """(invitation, the link's secret part, shown this once)."""
    text = secrets.make(secrets.LINK_PREFIX)
    invitation = Invitation.objects.create(
        account=account, role=_role(role), digest=digests(text)[0], created_by=by.label,
        expires_at=timezone.now() + INVITATION_LIFE,
    )  # fmt: skip
    audit.record(by=by, action="member.invited", kind="invitation", id=invitation.pk, label=role,
                 account=account, after={"role": role})  # fmt: skip
    return invitation, text


@transaction.atomic
def withdraw(*, by: Principal, invitation: Invitation) -> None:
    audit.record(by=by, action="member.invitation_withdrawn", kind="invitation", id=invitation.pk,
                 label=invitation.role, account=invitation.account)  # fmt: skip
    invitation.delete()


def find_invitation(*, text: str, now: datetime) -> Invitation:
    """The open invitation behind a link. Raises Absent for one that is unknown, used or too old."""
    if not secrets.well_formed(text, secrets.LINK_PREFIX):
        raise Absent
    found = (
        Invitation.objects.select_related("account")
        .filter(digest__in=digests(text), expires_at__gt=now, account__closed_at=None)
        .first()
    )
    if not found:
        raise Absent
    return found


@transaction.atomic
def accept(*, by: Principal, text: str) -> Account:
    """Spends the link. Somebody who is a member already keeps the role they have."""
    invitation = find_invitation(text=text, now=timezone.now())
    account = Account.objects.select_for_update().get(pk=invitation.account_id)
    spent, _rows = Invitation.objects.filter(pk=invitation.pk).delete()
    if not spent:  # two clicks raced for one link
        raise Absent
    member, new = Member.objects.get_or_create(
        account=account, person_id=by.person_id, defaults={"role": invitation.role}
    )
    if new:
        audit.record(by=by, action="member.joined", kind="member", id=member.pk, label=by.label,
                     account=account, after={"role": member.role})  # fmt: skip
    return account


@transaction.atomic
def change_role(*, by: Principal, member: Member, role: str) -> Member:
    after = _role(role)
    before = _locked(member).role
    if before != after:
        _keep_an_owner(member, losing=before == Role.OWNER)
        member.role = after
        member.save(update_fields=["role"])
        audit.record(by=by, action="member.role_changed", kind="member", id=member.pk,
                     label=str(member.person), account=member.account,
                     before={"role": before}, after={"role": after})  # fmt: skip
    return member


@transaction.atomic
def remove(*, by: Principal, member: Member) -> None:
    _keep_an_owner(member, losing=_locked(member).role == Role.OWNER)
    audit.record(by=by, action="member.removed", kind="member", id=member.pk, label=str(member.person),
                 account=member.account, before={"role": member.role})  # fmt: skip
    member.delete()


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid.on("role", _("Choose owner, manager or viewer.")) from None


def _locked(member: Member) -> Member:
    """Locks the account, so that two owners who leave at once cannot both see the other stay.

    The member is then read again: a role that was seen before may have changed while we waited.
    """
    Account.objects.select_for_update().get(pk=member.account_id)
    try:
        member.refresh_from_db(fields=["role"])
    except Member.DoesNotExist:
        raise Absent from None
    return member


def _keep_an_owner(member: Member, *, losing: bool) -> None:
    others = Member.objects.filter(account=member.account_id, role=Role.OWNER).exclude(pk=member.pk)
    if losing and not others.exists():
        raise Refused(_("An account keeps at least one owner; make somebody else owner first."))
