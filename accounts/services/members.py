"""Who belongs to an account: changing a role, leaving."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, limits
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import Account, Member, Person
from accounts.principal import Principal
from accounts.roles import Role
from accounts.services import invitations
from accounts.sso.group_changes import greatest


@transaction.atomic
def change_role(*, by: Principal, member: Member, role: str) -> Member:
    after = invitations.checked_role(role)
    before = _locked(member).role
    if member.group_role:
        _keep_what_groups_give(member, after)
    if before != after:
        _keep_an_owner(member, losing=before == Role.OWNER)
        invitations.void_of(by=by, member=member, role=after)
        member.role = after
        member.hand_role = after if member.group_role else ""
        member.save(update_fields=["role", "hand_role"])
        audit.record(by=by, action=AuditAction.MEMBER_ROLE_CHANGED, kind="member", id=member.pk,
                     label=str(member.person), account=member.account,
                     before={"role": before}, after={"role": after})  # fmt: skip
    return member


@transaction.atomic
def assign_owner(*, by: Principal, account: Account, email: str) -> Member:
    """Make a person an owner, a member or not: the operator's way out where no owner can sign in.

    Raise Invalid on `email`, Conflict where the account has room for no member more.
    """
    person = Person.objects.filter(email=email.strip().lower()).first()
    if not person:
        raise Invalid.on("email", _("No person signs in with this address."))
    if not person.is_active:
        raise Invalid.on("email", _("This person is disabled."))
    row = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if row.closed_at:
        raise Conflict.on("", _("The account is closed."))
    member = Member.objects.select_related("person").filter(account=row, person=person).first()
    before = {"role": member.role} if member else {}
    if before == {"role": Role.OWNER}:
        raise Conflict.on("email", _("This person is an owner already."))
    if member:
        member.role = Role.OWNER
        member.hand_role = Role.OWNER.value if member.group_role else ""  # which leaving a group does not end
        member.save(update_fields=["role", "hand_role"])
    else:
        limits.make_room(limits.MEMBERS, row, field="email")
        member = Member.objects.create(account=row, person=person, role=Role.OWNER)
    audit.record(by=by, action=AuditAction.MEMBER_ASSIGNED, kind="member", id=member.pk, label=person.email,
                 account=row, before=before, after={"role": Role.OWNER.value})  # fmt: skip
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
        member.refresh_from_db(fields=["role", "group_role"])
    except Member.DoesNotExist:
        raise NotFound from None
    return member


def _keep_what_groups_give(member: Member, role: Role) -> None:
    """At the next sign-in it would come back."""
    if greatest(role, Role(member.group_role)) is not role:
        raise Forbidden(
            _("%(person)s has this role through a group at the sign-in provider. Change the group there.")
            % {"person": member.person}
        )


def _keep_an_owner(member: Member, *, losing: bool) -> None:
    """Beside an active one a disabled one does not count: the account would be nobody's."""
    others = Member.objects.filter(account=member.account_id, role=Role.OWNER).exclude(pk=member.pk)
    if member.person.is_active:
        others = others.filter(person__is_active=True)
    if losing and not others.exists():
        raise Forbidden(_("An account needs at least one owner; make someone else an owner first."))
