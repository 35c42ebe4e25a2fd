"""How many of each thing an account, or a person, may hold: operators' settings, and counts that no race passes.

Each room names its own limits. A service asks for room in the transaction that creates, and before it does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.common.errors import Conflict
from accounts.models import Account, ApiToken, Invitation, Member, Person, RegistryUser

Holder = TypeVar("Holder", Account, Person)


@dataclass(frozen=True)
class Limit(Generic[Holder]):
    """`full` is the sentence for whoever wants one more: how many there may be, and what to do about it."""

    key: str
    setting: str
    name: Promise
    full: Promise
    count: Callable[[Holder], int]

    @property
    def most(self) -> int | None:
        """None: any number."""
        return getattr(settings, self.setting) or None


@dataclass(frozen=True)
class Holding:
    """What somebody holds of one thing."""

    key: str
    name: Promise
    held: int
    most: int | None


def make_room(limit: Limit[Holder], holder: Holder, *, field: str, number: int = 1) -> None:
    """Lock the holder until the end of the transaction, so that nobody else counts. Raise Conflict on `field`.

    `number`: how many are to be created.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{limit.key} must be counted inside the transaction that creates one")
    if limit.most is None:
        return
    # Not FOR UPDATE: rows that only point at the holder are none of our business.
    type(holder).objects.select_for_update(no_key=True).get(pk=holder.pk)
    if limit.count(holder) + number > limit.most:
        raise Conflict.on(field, limit.full % {"most": limit.most, "setting": limit.setting})


def holdings(limits: Iterable[Limit[Holder]], holder: Holder) -> list[Holding]:
    return [Holding(each.key, each.name, each.count(holder), each.most) for each in limits]


ACCOUNTS = Limit[Person](
    "accounts", "MAX_ACCOUNTS_PER_PERSON", _("accounts opened"),
    _(
        "You have reached the limit of accounts per person (%(most)s). Closed accounts count, because their "
        "names stay reserved. An operator can raise %(setting)s."
    ),
    lambda person: Account.objects.filter(opened_by=person).count(),
)  # fmt: skip
API_TOKENS = Limit[Person](
    "api_tokens", "MAX_API_TOKENS_PER_PERSON", _("API tokens"),
    _(
        "You have reached the limit of API tokens per person (%(most)s). Revoke one that you no longer "
        "need, or ask an operator to raise %(setting)s."
    ),
    lambda person: ApiToken.objects.filter(person=person).count(),
)  # fmt: skip
INVITATIONS = Limit[Account](
    "invitations", "MAX_INVITATIONS_PER_ACCOUNT", _("open invitations"),
    _(
        "This account has reached its limit of open invitations (%(most)s). Withdraw one, or ask an "
        "operator to raise %(setting)s."
    ),
    lambda account: Invitation.objects.live(timezone.now()).filter(account=account).count(),
)  # fmt: skip
MEMBERS = Limit[Account](
    "members", "MAX_MEMBERS_PER_ACCOUNT", _("members"),
    _(
        "This account has reached its limit of members (%(most)s). An owner can remove a member, or ask an "
        "operator to raise %(setting)s."
    ),
    lambda account: Member.objects.filter(account=account).count(),
)  # fmt: skip
USERS = Limit[Account](
    "users", "MAX_USERS_PER_ACCOUNT", _("users"),
    _(
        "This account has reached its limit of users (%(most)s). Delete one that nobody needs, or ask an "
        "operator to raise %(setting)s."
    ),
    lambda account: RegistryUser.objects.filter(account=account).count(),
)  # fmt: skip
OF_PERSON = (ACCOUNTS, API_TOKENS)
