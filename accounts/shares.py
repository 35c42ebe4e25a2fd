"""A bound that many share: whoever has the most gives way, so that nobody's flood drops what is another's. PURE."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, Generic, TypeAlias, TypeVar

Thing = TypeVar("Thing")
_NOTHING: Any = object()
# Whose share it is: an account's and, in it, a user's. While nobody is known a network's, and "".
Owner: TypeAlias = tuple[Hashable, str]  # and no class: one is made for each token


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
        self._held: dict[Owner, dict[Hashable, Thing]] = {}
        self._of: dict[Hashable, int] = {}
        self._count = 0

    def get(self, owner: Owner, key: Hashable) -> Thing | None:
        held = self._held.get(owner)
        return held.get(key) if held else None

    def put(self, owner: Owner, key: Hashable, thing: Thing) -> tuple[Owner, Thing] | None:
        """As the owner's newest. Returns what gave way for it, and whose it was."""
        held = self._held.get(owner)
        if held is None:
            held = self._held[owner] = {}
        elif held.pop(key, None) is not None:
            held[key] = thing
            return None
        held[key] = thing
        tenant = owner[0]
        self._of[tenant] = self._of.get(tenant, 0) + 1
        self._count += 1
        if len(held) > self._each:
            return self._drop_oldest(owner)
        return self._drop_oldest(self._largest()) if self._count > self._most else None

    def items(self) -> Iterable[tuple[Owner, Hashable, Thing]]:
        return ((owner, key, thing) for owner, held in self._held.items() for key, thing in held.items())

    def _largest(self) -> Owner:
        """Of those with as many, who has been here longest."""
        tenant = max(self._of, key=self._of.__getitem__)
        return max((each for each in self._held if each[0] == tenant), key=lambda each: len(self._held[each]))

    def _drop_oldest(self, owner: Owner) -> tuple[Owner, Thing]:
        held = self._held[owner]
        thing = held.pop(next(iter(held)))
        if not held:
            del self._held[owner]
        self._of[owner[0]] -= 1
        if not self._of[owner[0]]:
            del self._of[owner[0]]
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
    """The first of each owner, then the second of each, and so on; owners in the order in which they first come."""
    of: dict[Hashable, list[Thing]] = {}
    for thing in things:
        of.setdefault(whose(thing), []).append(thing)
    rounds = zip_longest(*of.values(), fillvalue=_NOTHING)
    return [thing for some in rounds for thing in some if thing is not _NOTHING]
