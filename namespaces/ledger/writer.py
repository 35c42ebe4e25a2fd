"""Writes entries of the access ledger.

Bounded: an entry for each user, password, image, action and day, at most LEDGER_USER_MOST new ones a day for a user,
and LEDGER_ACCOUNT_MOST for an account. Anonymous callers, who may ask for any name, get none for made-up images.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils import timezone

from accounts import dropped_entries
from accounts.common.batches import batches
from accounts.models import DropCounter, RegistryUser
from namespaces.ledger.entries import Use, merge, merged
from namespaces.models import Image, LedgerEntry, Namespace
from namespaces.models.ledger import NETWORKS_MAX
from namespaces.names import split

_COLUMNS = (
    "account_id", "user_id", "secret", "namespace_id", "image_name", "action", "count", "confirmed_count",
    "first_at", "last_at", "confirmed_at", "networks", "address", "client",
)  # fmt: skip
_OF_USERS = "(user_id, namespace_id, image_name, action{day}, secret)"
_OF_ANONYMOUS = "(namespace_id, image_name, action{day}) WHERE user_id IS NULL"
# One statement adds and counts, so that two processes never lose what the other has counted.
_UPSERT = """
INSERT INTO {table} AS e ({columns}) VALUES {rows}
ON CONFLICT {target} DO UPDATE SET
  count = e.count + excluded.count,
  confirmed_count = e.confirmed_count + excluded.confirmed_count,
  first_at = CASE WHEN excluded.first_at < e.first_at THEN excluded.first_at ELSE e.first_at END,
  last_at = CASE WHEN excluded.last_at > e.last_at THEN excluded.last_at ELSE e.last_at END,
  confirmed_at = CASE WHEN excluded.confirmed_at IS NULL OR excluded.confirmed_at < e.confirmed_at
    THEN e.confirmed_at ELSE excluded.confirmed_at END,
  address = CASE WHEN excluded.last_at >= e.last_at THEN excluded.address ELSE e.address END,
  client = CASE WHEN excluded.last_at >= e.last_at THEN excluded.client ELSE e.client END,
  networks = CASE
    WHEN excluded.networks = '' OR {position}(' ' || e.networks || ' ', ' ' || excluded.networks || ' ') > 0
      OR length(e.networks) - length(replace(e.networks, ' ', '')) >= {most} THEN e.networks
    WHEN e.networks = '' THEN excluded.networks
    ELSE e.networks || ' ' || excluded.networks END
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a use belongs."""

    use: Use
    account: int
    user: int | None
    namespace: int
    image_name: str

    @property
    def key(self) -> tuple[int | None, int, str, str, date, int]:
        use = self.use
        return self.user, self.namespace, self.image_name, use.action, use.day, use.secret


Users = Mapping[str, tuple[int, int]]  # username → (id, id of the account)


def write(uses: Iterable[Use], users: Users | None = None) -> None:
    """Write them, in the caller's transaction. Those of users, namespaces and images that are gone are left out.

    `users`, where the caller has asked already: what `known_users` says of their names.
    """
    all_uses = merged(uses)
    if users is None:
        users = known_users({use.username for use in all_uses})
    _upsert(_within_bounds(_places(all_uses, users)))


def known_users(names: Collection[str]) -> Users:
    rows = RegistryUser.objects.filter(username__in=set(names) - {""})
    return {
        username: (user, account)
        for username, user, account in rows.values_list("username", "id", "account_id")
    }


def _places(uses: Sequence[Use], users: Users) -> list[_Place]:
    owners = Namespace.objects.filter(name__in={split(use.repository)[0] for use in uses})
    namespaces = {name: (id, account) for name, id, account in owners.values_list("name", "id", "account_id")}  # noqa: A001
    found = []
    for use in uses:
        namespace_name, image_name = split(use.repository)
        if namespace_name not in namespaces or (use.username and use.username not in users):
            continue
        namespace, owner = namespaces[namespace_name]
        user, account = users[use.username] if use.username else (None, owner)
        found.append(_Place(use, account, user, namespace, image_name))
    return _of_existing_images(found)


def _of_existing_images(places: list[_Place]) -> list[_Place]:
    """Leave out what anonymous callers may have made up."""
    anonymous = [place for place in places if place.user is None]
    if not anonymous:
        return places
    images = Image.objects.filter(
        namespace__in={place.namespace for place in anonymous},
        name__in={place.image_name for place in anonymous},
    )
    existing = set(images.values_list("namespace_id", "name"))
    return [
        place for place in places if place.user is not None or (place.namespace, place.image_name) in existing
    ]


class _Rooms:
    """How many entries of a day each user and account have, as far as this process knows: counted when it may matter.

    Each write adds what it may have added, so it never believes in more room than there is, but for what other
    processes wrote since it last counted.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._day = date.min
        self.users: Counter[tuple[int, int | None]] = Counter()
        self.accounts: Counter[int] = Counter()

    def full(self, places: Iterable[_Place], day: date) -> set[tuple[int, int | None]]:
        """Return (account, user) of those with no room for what they bring."""
        if day != self._day:
            self._day, self.users, self.accounts = day, Counter(), Counter()
        owners = Counter((place.account, place.user) for place in places)
        accounts = Counter({account: 0 for account, _user in owners})
        for (account, _user), more in owners.items():
            accounts[account] += more
        for account in [a for a, more in accounts.items() if self._may_be_full(a, more, owners)]:
            self._count(account)
        full = {
            owner
            for owner, more in owners.items()
            if self.users[owner] + more > settings.LEDGER_USER_MOST
            or self.accounts[owner[0]] + accounts[owner[0]] > settings.LEDGER_ACCOUNT_MOST
        }
        for owner, more in owners.items():
            if owner not in full:
                self.users[owner] += more
                self.accounts[owner[0]] += more
        return full

    def take(self, owner: tuple[int, int | None], most: int) -> int:
        """Take up what is left for an owner that `full` returned, at most so many. Return how many."""
        left = min(
            settings.LEDGER_USER_MOST - self.users[owner],
            settings.LEDGER_ACCOUNT_MOST - self.accounts[owner[0]],
        )
        taken = max(min(left, most), 0)
        self.users[owner] += taken
        self.accounts[owner[0]] += taken
        return taken

    def _may_be_full(self, account: int, more: int, owners: Counter[tuple[int, int | None]]) -> bool:
        """Whoever was not counted yet may be: this process may have begun in the midst of the day."""
        if account not in self.accounts:
            return True
        return self.accounts[account] + more > settings.LEDGER_ACCOUNT_MOST or any(
            self.users[owner] + of_user > settings.LEDGER_USER_MOST
            for owner, of_user in owners.items()
            if owner[0] == account
        )

    def _count(self, account: int) -> None:
        rows = LedgerEntry.objects.filter(account=account, day=self._day)
        users = Counter(rows.values_list("user", flat=True))
        for user, count in users.items():
            self.users[account, user] = count
        self.accounts[account] = users.total()


_rooms = _Rooms()


def _within_bounds(places: list[_Place]) -> list[_Place]:
    """Leave out new entries of those who have no room for all they bring; what is left out is counted as dropped."""
    today = max((place.use.day for place in places), default=date.min)
    full = _rooms.full(places, today)
    if not full:
        return places
    crowded = [place for place in places if (place.account, place.user) in full]
    known = _existing(crowded)
    new: dict[tuple[int, int | None], list[_Place]] = defaultdict(list)
    for place in crowded:
        if place.key not in known:
            new[place.account, place.user].append(place)
    left_out = {place.key for owner, some in new.items() for place in some[_rooms.take(owner, len(some)) :]}
    dropped: Counter[str] = Counter()
    for place in crowded:
        if place.key in left_out:
            dropped[place.use.username] += place.use.count + place.use.confirmed_count
    dropped_entries.note(DropCounter.Kind.LEDGER, dropped, timezone.now())
    return [place for place in places if place.key not in left_out]


def _existing(places: Sequence[_Place]) -> set[tuple[int | None, int, str, str, date, int]]:
    users = {place.user for place in places}
    rows = LedgerEntry.objects.filter(
        Q(user__in=users - {None}) | Q(user=None) if None in users else Q(user__in=users),
        account__in={place.account for place in places},
        day__in={place.use.day for place in places},
    )
    return set(rows.values_list("user_id", "namespace_id", "image_name", "action", "day", "secret"))


def _upsert(places: Sequence[_Place]) -> None:
    """Totals first: whoever counts them anew then waits, or we do."""
    write = _Writer(connections["default"])  # looked up once: the usual proxy looks it up at each touch
    for of_days, rows in ((False, _totals(places)), (True, places)):
        ordered = sorted(
            rows, key=lambda place: (place.user or 0, *place.key[1:4], place.use.secret, place.use.day)
        )
        for target, some in (  # one order everywhere: no deadlock
            (_OF_USERS, [place for place in ordered if place.user is not None]),
            (_OF_ANONYMOUS, [place for place in ordered if place.user is None]),
        ):
            for batch in batches(some):
                for number in range(max(len(place.use.networks) for place in batch) or 1):
                    write(target, batch, number, of_days=of_days)


def _totals(places: Sequence[_Place]) -> list[_Place]:
    """Make one of those that differ in nothing but their day, which one statement could not write."""
    found: dict[tuple[Any, ...], _Place] = {}
    for place in places:
        key = (*place.key[:4], place.use.secret)
        earlier = found.get(key)
        found[key] = replace(place, use=merge(earlier.use, place.use)) if earlier else place
    return list(found.values())


class _Writer:
    """Writes rows of one transaction. How the database stores a moment is found out once for each."""

    def __init__(self, database: BaseDatabaseWrapper) -> None:
        self._database = database
        self._moment = cache(database.ops.adapt_datetimefield_value)
        self._day = cache(database.ops.adapt_datefield_value)

    def __call__(self, target: str, places: Sequence[_Place], number: int, *, of_days: bool) -> None:
        """Write them with the network of this number each; all but the first statement add no more than that."""
        values: list[Any] = []
        count = 0
        for place in places:
            if number < max(len(place.use.networks), 1):
                values += self._values(place, number)
                count += 1
                if of_days:
                    values.append(self._day(place.use.day))
        names = (*_COLUMNS, "day") if of_days else _COLUMNS
        one = f"({', '.join(['%s'] * len(names))})"
        text = _UPSERT.format(
            table="namespaces_ledgerentry" if of_days else "namespaces_ledgertotal",
            columns=", ".join(names),
            rows=", ".join([one] * count),
            target=target.format(day=", day" if of_days else ""),
            position="strpos" if self._database.vendor == "postgresql" else "instr",
            most=NETWORKS_MAX - 1,
        )
        with self._database.cursor() as cursor:
            cursor.execute(text, values)

    def _values(self, place: _Place, number: int) -> tuple[Any, ...]:
        use, last = place.use, self._moment(place.use.last_at)
        return (
            place.account, place.user, use.secret, place.namespace, place.image_name, use.action,
            0 if number else use.count, 0 if number else use.confirmed_count, self._moment(use.first_at), last,
            last if use.confirmed_count else None, sorted(use.networks)[number] if use.networks else "", use.address,
            use.client,
        )  # fmt: skip
