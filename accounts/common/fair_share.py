"""A bound that many share: whoever has the most gives way, so that nobody's flood drops what is another's. PURE."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, Generic, TypeAlias, TypeVar, cast

Thing = TypeVar("Thing")
_NOTHING: Any = object()
# Whose share it is: an account's and, in it, a user's. While nobody is known a network's, and "".
Owner: TypeAlias = tuple[Hashable, str]  # and no class: one is made for each token


class Ranks:
    """How much each has, and who has the most: a step for each change, however many they are."""

    def __init__(self) -> None:
        self._count: dict[Hashable, int] = {}
        self._with: dict[int, dict[Hashable, None]] = {}  # who has so much, the longest first
        self._most = 0

    def __bool__(self) -> bool:
        return bool(self._count)

    def more(self, who: Hashable) -> None:
        count = self._count.get(who, 0)
        self._move(who, count, count + 1)
        self._most = max(self._most, count + 1)

    def less(self, who: Hashable) -> None:
        count = self._count[who]
        self._move(who, count, count - 1)
        if self._most not in self._with:
            self._most -= 1

    def first(self) -> Hashable:
        """Of those with the most, who has had it the longest."""
        return next(iter(self._with[self._most]))

    def _move(self, who: Hashable, before: int, after: int) -> None:
        if before:
            del self._with[before][who]
            if not self._with[before]:
                del self._with[before]
        if after:
            self._count[who] = after
            self._with.setdefault(after, {})[who] = None
        else:
            del self._count[who]


class Shares(Generic[Thing]):
    """At most `most` things together, and `each` of one owner; the oldest of an owner goes first.

    Over `each`, the owner's own gives way. Over `most`, the tenant's with the most, and of it the owner's with the
    most: never a newcomer's while anybody has two.
    """

    def __init__(self, *, most: int, each: int) -> None:
        self._most, self._each = most, each
        self.clear()

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        self._things: dict[Owner, dict[Hashable, Thing]] = {}
        self._tenants = Ranks()
        self._owners: dict[Hashable, Ranks] = {}  # of each tenant
        self._count = 0

    def get(self, owner: Owner, key: Hashable) -> Thing | None:
        things = self._things.get(owner)
        return things.get(key) if things else None

    def put(self, owner: Owner, key: Hashable, thing: Thing) -> tuple[Owner, Thing] | None:
        """As the owner's newest. Return what gave way for it, and whose it was."""
        things = self._things.get(owner)
        if things is None:
            things = self._things[owner] = {}
        elif things.pop(key, None) is not None:
            things[key] = thing
            return None
        things[key] = thing
        self._tenants.more(owner[0])
        self._owners.setdefault(owner[0], Ranks()).more(owner)
        self._count += 1
        if len(things) > self._each:
            return self._drop_oldest(owner)
        return self._drop_oldest(self._largest()) if self._count > self._most else None

    def items(self) -> Iterable[tuple[Owner, Hashable, Thing]]:
        return (
            (owner, key, thing) for owner, things in self._things.items() for key, thing in things.items()
        )

    def _largest(self) -> Owner:
        return cast("Owner", self._owners[self._tenants.first()].first())

    def _drop_oldest(self, owner: Owner) -> tuple[Owner, Thing]:
        things = self._things[owner]
        thing = things.pop(next(iter(things)))
        if not things:
            del self._things[owner]
        self._tenants.less(owner[0])
        owners = self._owners[owner[0]]
        owners.less(owner)
        if not owners:
            del self._owners[owner[0]]
        self._count -= 1
        return owner, thing


def gives_way(line: Sequence[Hashable]) -> int:
    """Which place of a line that is one too long: the newest of whoever stands in it most often, the first never.

    `line`: whose each place is, in order; the first is being served.
    """
    counts = Counter(line)
    most = max(counts.values())
    return max(at for at, whose in enumerate(line) if at and counts[whose] == most)


def in_turns(things: Iterable[Thing], whose: Callable[[Thing], Hashable]) -> list[Thing]:
    """Return the first of each owner, then the second of each, and so on; owners in the order they first come in."""
    of: dict[Hashable, list[Thing]] = {}
    for thing in things:
        of.setdefault(whose(thing), []).append(thing)
    rounds = zip_longest(*of.values(), fillvalue=_NOTHING)
    return [thing for some in rounds for thing in some if thing is not _NOTHING]
