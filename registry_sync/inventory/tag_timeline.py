"""Where a change of a tag belongs among those that are known, and what it changes. PURE."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CLOCK_SKEW = timedelta(minutes=1)  # between the registry's clock and ours
EVENT = "event"  # TagHistoryEntry.How.EVENT


@dataclass(frozen=True, slots=True)
class TagChange:
    """`tag` is to point at `digest`; "" when it is to go. `at` is when, `by` who (a username), if known."""

    tag: str
    digest: str
    at: datetime
    by: str = ""


@dataclass(slots=True)
class Move:
    """One entry of a tag's history. `pk` is None until it is stored; `changed`: differs from what is stored.

    `named`: it is known only now who made it.
    """

    at: datetime
    old: str
    new: str
    by: str = ""
    how: str = EVENT
    pk: int | None = None
    changed: bool = False
    named: bool = field(default=False, compare=False)


@dataclass(slots=True)
class TagState:
    digest: str
    pushed_at: datetime
    pushed_by: str = ""


@dataclass(slots=True)
class Timeline:
    """A tag, None while there is none, and its history in order of `at` and `pk`.

    `moves` may begin late: with the last one before the first change that is recorded here. Afterwards `tag_moved` and
    `tag_redated` say what of the tag is to be written, `first_seen_at` since when a new one is there, `held` which
    manifests the registry holds now, and `was_held` which it held once.
    """

    tag: TagState | None = None
    moves: list[Move] = field(default_factory=list)
    first_seen_at: datetime | None = None
    tag_moved: bool = False
    tag_redated: bool = False
    held: set[str] = field(default_factory=set)
    was_held: set[str] = field(default_factory=set)

    def record(self, change: TagChange, *, stored: bool = True) -> bool:
        """Put a move into the history, and move the tag too when nothing newer is known of it.

        Return True when only the history was written, and whether the registry still holds the manifest is not known.

        What was found before the event came, without a name, is the same move: it gets its name and its time.
        `stored`: the manifest is stored. A deletion moves no tag: that takes the registry's answer.
        """
        place = bisect_right(self.moves, change.at, key=lambda move: move.at)
        before = self.moves[place - 1] if place else None
        after = self.moves[place] if place < len(self.moves) else None
        if any(move.new == change.digest and move.at == change.at for move in self.moves[:place]):
            return self._note_was_held(change, stored)
        if after and after.new == change.digest:
            self._attribute(after, change, at=change.at, old=before.new if before else "")
            return False
        if before and before.new == change.digest:
            if before.at > change.at - CLOCK_SKEW and not after:
                self._attribute(before, change, at=before.at, old=before.old)
            return False
        if not before and not change.digest:
            return False
        old = before.new if before else ""
        newest = not after and not (self.tag and change.at < self.tag.pushed_at)
        points_there = self.tag is not None and self.tag.digest == change.digest
        self.moves.insert(place, Move(change.at, old, change.digest, change.by))
        if newest and stored and change.digest and not points_there:
            self.first_seen_at = self.first_seen_at or (change.at if not self.tag else None)
            self.tag = TagState(change.digest, change.at, change.by)
            self.tag_moved = True
            self.held.add(change.digest)
            return False
        if after:
            after.old, after.changed = change.digest, True
        elif newest and points_there:  # it went, and came again
            self._redate(change.at, change.by)
        return self._note_was_held(change, stored)

    def _note_was_held(self, change: TagChange, stored: bool) -> bool:
        """Note that it was held then; whether it still is, the caller asks."""
        if stored and change.digest:
            self.was_held.add(change.digest)
        return bool(stored and change.digest)

    def _redate(self, at: datetime, by: str) -> None:
        """Another tag may be the image's newest then."""
        assert self.tag
        self.tag.pushed_at, self.tag.pushed_by = at, by
        self.tag_redated = True

    def _attribute(self, move: Move, change: TagChange, *, at: datetime, old: str) -> None:
        """Add who and when, where a reconcile or a confirmation was quicker than the event, and knew neither."""
        if move.by or not change.by:
            return
        newest = self.moves[-1].at <= move.at
        if self.tag and self.tag.digest == move.new and newest:
            self._redate(min(at, self.tag.pushed_at), change.by)
        move.at, move.by, move.old, move.how = at, change.by, old, EVENT
        move.changed = move.named = True
        self.moves.sort(key=lambda each: (each.at, each.pk is None, each.pk or 0))
