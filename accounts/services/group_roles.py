"""The operator's table: which group at the sign-in provider has which role in which account."""

from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.models import Account, GroupRole, Member
from accounts.principal import Principal
from accounts.services import group_memberships, invitations
from accounts.sso.group_changes import Change, GroupRule, changes, given_by_groups
from accounts.sso.identity import GROUP_MAX


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of the table does to one member, at once."""

    member: Member
    change: Change


@transaction.atomic
def create(*, by: Principal, group: str, account: str, role: str) -> GroupRole:
    """Give a group a role in the open account with this handle. Whoever is in it gets it at their next sign-in."""
    group, found = group.strip(), Account.objects.filter(handle=account.strip(), closed_at=None).first()
    errors = {}
    if not group or len(group) > GROUP_MAX or not group.isprintable():
        errors["group"] = [_("Give the group’s name as the provider sends it, of at most %(most)s characters.")
                           % {"most": GROUP_MAX}]  # fmt: skip
    if not found:
        errors["account"] = [_("There is no account with this handle.")]
    if errors or not found:
        raise Invalid(errors)
    try:
        with transaction.atomic():
            row = GroupRole.objects.create(
                group=group, account=found, role=invitations.checked_role(role), created_by=by.label[:254]
            )
    except IntegrityError:
        raise Conflict.on("group", _("This group has a role in this account already.")) from None
    audit.record(by=by, action=AuditAction.GROUP_ROLE_CREATED, kind="group role", id=row.pk, label=group,
                 account=found, after={"role": row.role})  # fmt: skip
    return row


@transaction.atomic
def change(*, by: Principal, group_role: GroupRole, role: str) -> GroupRole:
    """Give another role, at once to whom this group made a member, to others at their next sign-in."""
    after = invitations.checked_role(role)
    _lock(group_role)
    before = group_role.role
    if before != after:
        group_role.role = after
        group_role.save(update_fields=["role"])
        audit.record(by=by, action=AuditAction.GROUP_ROLE_CHANGED, kind="group role", id=group_role.pk,
                     label=group_role.group, account=group_role.account,
                     before={"role": before}, after={"role": after})  # fmt: skip
        _apply_to_members(group_role.account)
    return group_role


@transaction.atomic
def delete(*, by: Principal, group_role: GroupRole) -> None:
    """End at once what this group alone gave."""
    _lock(group_role)
    audit.record(by=by, action=AuditAction.GROUP_ROLE_DELETED, kind="group role", id=group_role.pk,
                 label=group_role.group, account=group_role.account, before={"role": group_role.role})  # fmt: skip
    account = group_role.account
    group_role.delete()
    _apply_to_members(account)


def preview(group_role: GroupRole, *, role: str | None) -> list[Effect]:
    """Return whose role would change at once, were the group's another, or (None) none. Nothing is changed."""
    rows = [
        group_memberships.rule_of(each)
        for each in GroupRole.objects.filter(account=group_role.account_id).exclude(pk=group_role.pk)
    ]
    if role:
        rows.append(GroupRule(group_role.group, group_role.account_id, invitations.checked_role(role)))
    found = []
    for member in _members_by_group(group_role.account):
        wanted = changes(
            {member.account_id: group_memberships.held(member)},
            given_by_groups(known_groups(member.person_id), rows),
            last_owner_of=group_memberships.last_owner_of(member.person_id, [member.account_id]),
        )
        found += [Effect(member, each) for each in wanted if each.before != each.after or each.kept]
    return found


def known_groups(person_id: int) -> set[str]:
    """Return the groups that the provider named when the person last signed in there.

    Of several links, as to a provider from before, what the others said counts no more.
    """
    newest = SocialAccount.objects.filter(user=person_id).order_by("-last_login", "-pk").first()
    return set(newest.extra_data.get("userinfo", {}).get("groups", [])) if newest else set()


def _lock(group_role: GroupRole) -> None:
    """Lock its account, as a sign-in does: of two who come at once, the later sees what the other did."""
    Account.objects.select_for_update().get(pk=group_role.account_id)
    try:
        group_role.refresh_from_db(fields=["role"])
    except GroupRole.DoesNotExist:
        raise NotFound from None


def _apply_to_members(account: Account) -> None:
    for member in _members_by_group(account):
        group_memberships.apply_in(
            account=account, person=member.person, groups=known_groups(member.person_id)
        )


def _members_by_group(account: Account) -> list[Member]:
    found = Member.objects.filter(account=account).exclude(group_role="").select_related("person", "account")
    return list(found.order_by("person__email"))
