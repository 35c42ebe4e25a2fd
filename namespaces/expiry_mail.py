"""Mail about what ends soon: users, passwords and permissions, to the owners and managers of their accounts.

At 30, 7 and 1 days and on the day, in one mail a day at most, however many accounts a person has. Who was told on which
day is a row, written with the mail: a restart tells nobody twice, and a day without a worker is made up for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import notices
from accounts.common import milestones, timestamps
from accounts.models import Account, Member, Person, RegistryUser, Secret
from namespaces.models import Grant

MORNING = 7  # o'clock in TIME_ZONE: not before
SHOWN = 50  # of each account


@dataclass(frozen=True)
class Ending:
    """Something that ends: a user, a password of it or a permission of it."""

    user: RegistryUser
    at: datetime
    secret: Secret | None = None
    grant: Grant | None = None


@dataclass(frozen=True)
class AccountEndings:
    account: Account
    shown: Sequence[Ending]
    more: int


def send_due(*, now: datetime) -> int:
    """Write the mails of today into the outbox. Return how many."""
    zone = timezone.get_default_timezone()
    if now.astimezone(zone).hour < MORNING:
        return 0
    today = now.astimezone(zone).date()
    found: dict[int, list[Ending]] = defaultdict(list)
    for each in endings(now, timestamps.end_of(today + timedelta(days=max(milestones.MILESTONES)), zone)):
        found[each.user.account_id].append(each)
    return sum(_tell(person, accounts, found, today, zone) for person, accounts in _in_charge(found, today))


def _in_charge(accounts: Mapping[int, object], today: date) -> list[tuple[Person, list[Account]]]:
    """Return owners and managers who were not told today, with their accounts by name."""
    members = Member.objects.filter(
        Q(person__expiry_told_on=None) | Q(person__expiry_told_on__lt=today),
        account__in=list(accounts), role__in=notices.IN_CHARGE, person__is_active=True,
    )  # fmt: skip
    of: dict[Person, list[Account]] = defaultdict(list)
    for each in members.select_related("person", "account").order_by("account__name", "account_id"):
        of[each.person].append(each.account)
    return list(of.items())


def _tell(
    person: Person, accounts: list[Account], found: Mapping[int, list[Ending]], today: date, zone: tzinfo
) -> bool:
    since = (today - person.expiry_told_on).days if person.expiry_told_on else None
    parts = []
    for account in accounts:
        due = [
            each for each in found[account.pk] if milestones.is_due(days_left(each.at, today, zone), since)
        ]
        if due:
            due.sort(key=lambda each: each.at)
            parts.append(AccountEndings(account, due[:SHOWN], max(len(due) - SHOWN, 0)))
    if not parts:
        return False
    with transaction.atomic():
        untold = Person.objects.filter(Q(expiry_told_on=None) | Q(expiry_told_on__lt=today), pk=person.pk)
        if not untold.update(expiry_told_on=today):
            return False  # another worker was quicker
        count = sum(len(each.shown) + each.more for each in parts)
        notices.tell(person, "ends_soon", {"parts": parts, "count": count})
    return True


def days_left(moment: datetime, today: date, zone: tzinfo) -> int:
    last = timestamps.last_day(moment, zone) or moment.astimezone(zone).date()
    return (last - today).days


def endings(now: datetime, until: datetime, *, accounts: Collection[int] | None = None) -> Iterator[Ending]:
    """Yield what ends by then of working users in open accounts; what ends with its user is told of as the user.

    `accounts`: of these alone; None: of all.
    """
    mine = {} if accounts is None else {"account__in": accounts}
    ends = Q(expires_at__gt=now, expires_at__lte=until)
    retires = Q(retires_at__gt=now, retires_at__lte=until, retire_after_unused_days=None)
    for user in RegistryUser.objects.filter(ends, disabled_at=None, account__closed_at=None, **mine):
        if user.expires_at:
            yield Ending(user, user.expires_at)
    working: dict[str, Any] = {"user__disabled_at": None, "user__account__closed_at": None}
    working |= {f"user__{name}": value for name, value in mine.items()}
    for secret in (
        Secret.objects.live(now).unswapped().filter(ends | retires, **working).select_related("user")
    ):
        # What ends unused is moved on by each use: it would be seven days away every day.
        if secret.last_end and _before_user(secret.last_end, secret.user):
            yield Ending(secret.user, secret.last_end, secret=secret)
    for grant in Grant.objects.filter(ends, **working).select_related("user", "namespace"):
        if grant.expires_at and _before_user(grant.expires_at, grant.user):
            yield Ending(grant.user, grant.expires_at, grant=grant)


def _before_user(moment: datetime, user: RegistryUser) -> bool:
    return user.expires_at is None or moment < user.expires_at
