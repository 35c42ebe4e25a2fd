"""Memberships that groups at the sign-in provider give: brought up to date at each sign-in there."""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit, limits
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict
from accounts.models import Account, GroupRole, Member, Person
from accounts.principal import GROUPS
from accounts.roles import Role
from accounts.services import invitations, people
from accounts.sso.group_changes import Change, GroupRule, Held, changes, given_by_groups

log = logging.getLogger(__name__)


@transaction.atomic
def apply(*, person: Person, groups: Collection[str]) -> list[Change]:
    """Give `person` what these groups give, and end what others gave. Return what changed.

    A full account (limits.MEMBERS) takes nobody in, which the log says.
    """
    known = Member.objects.filter(person=person).exclude(group_role="").values_list("account_id", flat=True)
    given = GroupRole.objects.filter(group__in=groups).values_list("account_id", flat=True)
    done = _apply_in({*known, *given}, person, groups)
    if settings.OIDC_OPERATOR_GROUP:
        people.follow_operator_group(person=person, belongs=settings.OIDC_OPERATOR_GROUP in groups)
    return done


@transaction.atomic
def apply_in(*, account: Account, person: Person, groups: Collection[str]) -> list[Change]:
    """As `apply`, in one account and of groups that were known before: when the table has changed."""
    return _apply_in({account.pk}, person, groups)


def end_stale(now: datetime) -> None:
    """End what groups gave to persons of whom the provider has said nothing for OIDC_GROUPS_DAYS.

    Somebody who left signs in no more, so that no sign-in takes their roles; their API tokens would keep them.
    """
    if not settings.OIDC_ISSUER or not settings.OIDC_GROUPS_DAYS:
        return
    before = now - timedelta(days=settings.OIDC_GROUPS_DAYS)
    given = Person.objects.filter(Q(operator_by_group=True) | Q(pk__in=_by_group().values("person")))
    heard_of = SocialAccount.objects.filter(last_login__gte=before).values("user")
    for person in given.exclude(pk__in=heard_of).order_by("pk"):
        apply(person=person, groups=())


def _by_group() -> QuerySet[Member]:
    return Member.objects.exclude(group_role="")


def rule_of(row: GroupRole) -> GroupRule:
    return GroupRule(row.group, row.account_id, Role(row.role))


def held_by(person_id: int, accounts: Iterable[int]) -> dict[int, Member]:
    members = Member.objects.select_related("account", "person").filter(
        person=person_id, account__in=accounts
    )
    return {each.account_id: each for each in members}


def held(member: Member) -> Held:
    by_group = Role(member.group_role) if member.group_role else None
    by_hand = member.hand_role if by_group else member.role
    return Held(by_hand=Role(by_hand) if by_hand else None, by_group=by_group)


def last_owner_of(person_id: int, accounts: Iterable[int]) -> set[int]:
    """Return those of the accounts whose only owner the person is, but for disabled ones."""
    owners = Member.objects.filter(account__in=accounts, role=Role.OWNER)
    others = owners.exclude(person=person_id).filter(person__is_active=True)
    shared = others.values_list("account_id", flat=True)
    return set(owners.filter(person=person_id).values_list("account_id", flat=True)) - set(shared)


def _apply_in(accounts: Collection[int], person: Person, groups: Collection[str]) -> list[Change]:
    # In one order, so that two who sign in at once cannot wait for each other; and no two last owners go together.
    locked = Account.objects.select_for_update().filter(pk__in=accounts, closed_at=None).order_by("pk")
    found = {each.pk: each for each in locked}
    # Only now: whoever changes the table holds the same lock, and does not see a member who comes meanwhile.
    table = GroupRole.objects.filter(group__in=groups, account__in=found)
    rules = [rule_of(each) for each in table]
    members = held_by(person.pk, found)
    wanted = changes(
        {account: held(each) for account, each in members.items()},
        given_by_groups(groups, rules),
        last_owner_of=last_owner_of(person.pk, found),
    )
    done = []
    for change in wanted:
        named = sorted({each.group for each in rules if each.account == change.account})
        account = found[change.account]
        try:
            if not change.kept and _carry_out(change, account, members.get(change.account), person, named):
                done.append(change)
        except Conflict:
            log.warning("%s is full: person %s, in %s, did not join", account.handle, person.pk, named)
    return done


def _carry_out(
    change: Change, account: Account, member: Member | None, person: Person, groups: list[str]
) -> bool:
    """Return False where only who gives the role changes, and nothing for the person."""
    if not member:
        assert change.after
        limits.make_room(limits.MEMBERS, account, field="")
        member = Member.objects.create(
            account=account, person=person, role=change.after, group_role=change.by_group or ""
        )
        action = AuditAction.MEMBER_ADDED
    elif change.after is None:
        invitations.void_of(by=GROUPS, member=member, role=None)
        member.delete()
        action = AuditAction.MEMBER_REMOVED
    else:
        if change.before != change.after:
            invitations.void_of(by=GROUPS, member=member, role=change.after)
        by_hand = held(member).by_hand
        member.role, member.group_role = change.after, change.by_group or ""
        member.hand_role = (by_hand or "") if change.by_group else ""
        member.save(update_fields=["role", "group_role", "hand_role"])
        action = AuditAction.MEMBER_ROLE_CHANGED
    if change.before == change.after:
        return False
    audit.record(
        by=GROUPS,
        action=action,
        kind="member",
        id=member.pk or "",
        label=str(person),
        account=account,
        before={"role": change.before} if change.before else {},
        after={"role": change.after, "groups": groups} if change.after else {},
    )
    return True
