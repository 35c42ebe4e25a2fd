"""How many of each thing an account, or a person, may hold: operators' settings, and counts that no race passes.

Each room names its own limits. A service asks for room in the transaction that creates, and before it does.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.common.counted import number_of
from accounts.common.errors import Conflict
from accounts.models import Account, ApiToken, Invitation, Member, Person, RegistryUser

Holder = TypeVar("Holder", Account, Person)


@dataclass(frozen=True)
class Limit(Generic[Holder]):
    """`full` is the sentence for whoever wants one more: how many there may be, and what to do about it.

    `rows` returns what is counted, in parts that have no row in common. `column`: of the holder, with a limit of its
    own, which comes before the setting; "" where there is none.
    """

    key: str
    setting: str
    name: Promise
    full: Promise
    rows: Callable[[Holder], tuple[QuerySet[Any], ...]]
    column: str = ""

    def count(self, holder: Holder) -> int:
        return sum(part.count() for part in self.rows(holder))

    def own(self, holder: Holder) -> int | None:
        """Return the holder's own limit, 0 for any number; None where the setting counts."""
        return getattr(holder, self.column) if self.column else None

    def most(self, holder: Holder) -> int | None:
        """None: any number."""
        own = self.own(holder)
        return self.most_by_setting() if own is None else own or None

    def most_by_setting(self) -> int | None:
        """Return the limit of who has none of its own; None: any number."""
        return getattr(settings, self.setting) or None

    def sentence(self, holder: Holder) -> str:
        setting = self.setting if self.own(holder) is None else _("the limit of this account")
        return str(self.full % {"most": self.most(holder), "setting": setting})


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
    if limit.most(holder) is None:
        return
    # Not FOR UPDATE: rows that only point at the holder are none of our business.
    locked = type(holder).objects.select_for_update(no_key=True).get(pk=holder.pk)
    most = limit.most(locked)
    if most is not None and limit.count(locked) + number > most:
        raise Conflict.on(field, limit.sentence(locked))


def holdings(limits: Iterable[Limit[Holder]], holder: Holder) -> list[Holding]:
    """Return what `holder` holds of each, in one statement."""
    counted = list(limits)
    parts = [(each.key, number_of(rows)) for each in counted for rows in each.rows(holder)]
    rows = holder.__class__.objects.filter(pk=holder.pk)  # not its type: request.user is a proxy
    found = rows.values_list(*(number for _key, number in parts)).get()
    held: dict[str, int] = defaultdict(int)
    for (key, _expression), number in zip(parts, found, strict=True):
        held[key] += number
    return [Holding(each.key, each.name, held[each.key], each.most(holder)) for each in counted]


ACCOUNTS = Limit[Person](
    "accounts", "MAX_ACCOUNTS_PER_PERSON", _("accounts opened"),
    _(
        "You have reached the limit of accounts per person (%(most)s). Closed accounts count, because their "
        "names stay reserved. An operator can raise %(setting)s."
    ),
    lambda person: (Account.objects.filter(opened_by=person),),
)  # fmt: skip
API_TOKENS = Limit[Person](
    "api_tokens", "MAX_API_TOKENS_PER_PERSON", _("API tokens"),
    _(
        "You have reached the limit of API tokens per person (%(most)s). Revoke one that you no longer "
        "need, or ask an operator to raise %(setting)s."
    ),
    lambda person: (ApiToken.objects.filter(person=person),),
)  # fmt: skip
INVITATIONS = Limit[Account](
    "invitations", "MAX_INVITATIONS_PER_ACCOUNT", _("open invitations"),
    _(
        "This account has reached its limit of open invitations (%(most)s). Withdraw one, or ask an "
        "operator to raise %(setting)s."
    ),
    lambda account: (Invitation.objects.live(timezone.now()).filter(account=account),),
    column="max_invitations",
)  # fmt: skip
MEMBERS = Limit[Account](
    "members", "MAX_MEMBERS_PER_ACCOUNT", _("members"),
    _(
        "This account has reached its limit of members (%(most)s). An owner can remove a member, or ask an "
        "operator to raise %(setting)s."
    ),
    lambda account: (Member.objects.filter(account=account),),
    column="max_members",
)  # fmt: skip
USERS = Limit[Account](
    "users", "MAX_USERS_PER_ACCOUNT", _("users"),
    _(
        "This account has reached its limit of users (%(most)s). Delete one that nobody needs, or ask an "
        "operator to raise %(setting)s."
    ),
    lambda account: (RegistryUser.objects.filter(account=account),),
    column="max_users",
)  # fmt: skip
OF_PERSON = (ACCOUNTS, API_TOKENS)
