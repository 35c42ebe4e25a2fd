"""Invitations: a link that makes one person a member, and is worth what its maker may give at that moment.

Whoever changes one holds the account's lock: what is read of members and of the invitation then stays so.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, credentials, limits
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid, NotFound
from accounts.models import Account, Invitation, InvitationState, Member, Person
from accounts.peppers import peppers
from accounts.principal import Principal
from accounts.roles import Role, roles_that_may_invite
from accounts.sso.group_changes import greatest

LIFE = timedelta(days=7)
# Of what is spent, as a record: so long after the end of its life, and so many of an account.
KEPT = timedelta(days=30)


@transaction.atomic
def invite(*, by: Principal, account: Account, role: str) -> tuple[Invitation, str]:
    """(invitation, the link's secret part, shown this once)."""
    role = checked_role(role)
    limits.make_room(limits.INVITATIONS, account, field="role")
    _forget_spent(account)
    text = credentials.make(credentials.LINK_PREFIX)
    invitation = Invitation.objects.create(
        account=account,
        role=role,
        digest=credentials.digests(text, peppers())[0],
        inviter_id=by.id,
        created_by=by.label,
        expires_at=timezone.now() + LIFE,
    )
    audit.record(by=by, action=AuditAction.MEMBER_INVITED, kind="invitation", id=invitation.pk, label=role,
                 account=account, after={"role": role})  # fmt: skip
    invitation.state = InvitationState.OPEN
    return invitation, text


@transaction.atomic
def withdraw(*, by: Principal, invitation: Invitation) -> None:
    """Withdraw it. Raise NotFound for one that was used or withdrawn."""
    Account.objects.select_for_update().get(pk=invitation.account_id)
    unspent = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
    if not unspent.update(revoked_at=timezone.now()):
        raise NotFound
    audit.record(by=by, action=AuditAction.MEMBER_INVITATION_WITHDRAWN, kind="invitation", id=invitation.pk,
                 label=invitation.role, account=invitation.account)  # fmt: skip


def find(*, text: str) -> Invitation:
    """Return the live invitation behind a link. Raise NotFound for one that is unknown, or in any other state."""
    if not credentials.well_formed(text, credentials.LINK_PREFIX):
        raise NotFound
    return _live(Q(digest__in=credentials.digests(text, peppers())))


def opened(*, id: int, person_id: int | None) -> Invitation:  # noqa: A002
    """Return the invitation whose link was opened a while ago, if it still waits for this person, or for anybody."""
    return _live(Q(pk=id) & _for(person_id))


@transaction.atomic
def reserve(*, id: int, person: Person, by: Principal) -> bool:  # noqa: A002
    """In the transaction that signs `person` up: from then on it is theirs alone. False when it is not open."""
    account = Account.objects.select_for_update(of=("self",)).filter(invitations=id).first()
    free = Invitation.objects.live(timezone.now()).filter(pk=id, reserved_for=None).first()
    if not free:
        return False
    free.reserved_for = person
    free.save(update_fields=["reserved_for"])
    audit.record(
        by=by, action=AuditAction.MEMBER_SIGNED_UP, kind="invitation", id=id, label=free.role, account=account
    )
    return True


@transaction.atomic
def accept(*, by: Principal, invitation: Invitation) -> Account:
    """Spend the link. Somebody who is a member already keeps the role they have."""
    account = Account.objects.select_for_update().get(pk=invitation.account_id)
    now = timezone.now()
    spent = Invitation.objects.live(now).filter(_for(by.person_id), pk=invitation.pk)
    if not spent.update(used_at=now, accepted_by=by.label[:254]):
        raise NotFound
    member = Member.objects.filter(account=account, person_id=by.person_id).first()
    if member and member.group_role and not member.hand_role:
        member.hand_role = invitation.role  # stays, should the group go
        member.role = greatest(Role(member.role), Role(invitation.role)) or member.role
        member.save(update_fields=["role", "hand_role"])
        _record_joined(by, account, member)
    elif not member:
        limits.make_room(limits.MEMBERS, account, field="")
        member = Member.objects.create(account=account, person_id=by.person_id, role=invitation.role)
        _record_joined(by, account, member)
    return account


def _record_joined(by: Principal, account: Account, member: Member) -> None:
    audit.record(by=by, action=AuditAction.MEMBER_JOINED, kind="member", id=member.pk, label=by.label,
                 account=account, after={"role": member.role})  # fmt: skip


def void_of(*, by: Principal, member: Member, role: Role | None) -> None:
    """End for good what `member` made and may no longer give as `role` (None: as no member).

    Called before the role changes: what is dead by then is not told of.
    """
    now, kept = timezone.now(), [each for each in Role if role in roles_that_may_invite(each)]
    live = Invitation.objects.live(now).filter(account=member.account_id, inviter=member.person_id)
    count = live.exclude(role__in=kept).update(voided_at=now)
    if count:
        audit.record(by=by, action=AuditAction.MEMBER_INVITATIONS_VOIDED, kind="member", id=member.pk,
                     label=str(member.person), account=member.account, before={"invitations": count})  # fmt: skip


def forget_old(now: datetime) -> None:
    Invitation.objects.filter(expires_at__lt=now - KEPT).delete()


def _forget_spent(account: Account) -> None:
    """Else making and withdrawing takes any number of rows."""
    spent = Invitation.objects.spent(timezone.now()).filter(account=account)
    old = list(spent.order_by("-pk").values_list("pk", flat=True)[settings.SPENT_INVITATIONS_KEPT :])
    Invitation.objects.filter(pk__in=old).delete()


def checked_role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid.on("role", _("Select owner, manager or viewer.")) from None


def _for(person_id: int | None) -> Q:
    return Q(reserved_for=None) | Q(reserved_for=person_id)


def _live(wanted: Q) -> Invitation:
    found = Invitation.objects.live(timezone.now()).filter(wanted).select_related("account").first()
    if not found:
        raise NotFound
    return found
