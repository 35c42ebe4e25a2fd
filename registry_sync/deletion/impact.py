"""What goes with what is deleted, what would break, and how much space that gives. PURE.

A manifest that a tagged index lists never goes: the image would be there still, and not work on that platform.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from namespaces.names import is_technical, stem_of, technical_stem


@dataclass(frozen=True, slots=True)
class ManifestNode:
    """A manifest in the image's repository. `lists`: manifests of an index; `blobs`: digest → bytes."""

    digest: str
    lists: frozenset[str] = frozenset()
    blobs: Mapping[str, int] = field(default_factory=dict)
    subject: str = ""  # the digest that it is about, as a signature is
    hung: frozenset[str] = frozenset()  # of what it lists, what is no platform: buildx's attestations


@dataclass(frozen=True)
class DeletionGraph:
    """All that is known around the chosen manifests; `tags`: tag → digest, technical ones too.

    Never changed once asked: what leads to what is worked out at the first question, for a hundred thousand of them.
    """

    held: Mapping[str, ManifestNode]
    tags: Mapping[str, str]

    def tags_of(self, digest: str) -> list[str]:
        return self._tags.get(digest, [])

    def indexes_of(self, digest: str) -> list[str]:
        return self._indexes.get(digest, [])

    def referrers_of(self, digest: str) -> list[str]:
        """Return what is about it: named by its own content, or by the tag that a tool gave it."""
        return self._referrers.get(digest, [])

    def subject_of(self, tag: str) -> str:
        """Return what a tool's tag is about, as far as it is held; "" else."""
        return self._stems.get(technical_stem(tag), "")

    @cached_property
    def _stems(self) -> dict[str, str]:
        return {stem_of(digest): digest for digest in self.held}

    @cached_property
    def _tags(self) -> dict[str, list[str]]:
        return _reversed((digest, tag) for tag, digest in self.tags.items())

    @cached_property
    def _indexes(self) -> dict[str, list[str]]:
        return _reversed((child, each.digest) for each in self.held.values() for child in each.lists)

    @cached_property
    def _referrers(self) -> dict[str, list[str]]:
        named = ((each.subject, each.digest) for each in self.held.values())
        tagged = ((self.subject_of(tag), digest) for tag, digest in self.tags.items())
        return _reversed(
            (about, digest) for about, digest in chain(named, tagged) if about not in ("", digest)
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """`digest` cannot go: `index` lists it, and these tags lead to that."""

    digest: str
    index: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedDeletion:
    """A manifest that goes, and all that depends on it; `after` must have gone before it, else it stays."""

    digest: str
    tags: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()  # without a tag, and broken afterwards
    referrers: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """`going` in the order in which it must be done: an index before what it lists."""

    going: tuple[PlannedDeletion, ...]
    refused: tuple[Refusal, ...] = ()
    other_tags: tuple[str, ...] = ()  # tags that go, and were not named
    platforms: tuple[str, ...] = ()  # manifests that only a going index lists
    referrers: tuple[str, ...] = ()  # signatures and the like of what goes
    broken_indexes: tuple[str, ...] = ()  # indexes without a tag that would be incomplete
    orphaned_referrers: tuple[
        str, ...
    ] = ()  # what is about something that goes, and stays: tagged, or listed elsewhere


def impact(facts: DeletionGraph, *, tags: Collection[str] = (), digests: Collection[str] = ()) -> Impact:
    """Of deleting what `tags` point at, and `digests`."""
    chosen = {facts.tags[tag] for tag in tags if tag in facts.tags} | set(digests)
    causes = _closure(facts, chosen)
    refused = tuple(_refusals(facts, chosen, causes))
    going = tuple(_going(facts, digest, causes) for digest in _in_order(facts, causes))
    gone_tags = {tag for each in going for tag in each.tags}
    along = [digest for digest in causes if digest not in chosen]
    hung = {each for digest in causes if digest in facts.held for each in facts.held[digest].hung}
    attached = {digest for digest in along if digest in hung or _subjects(facts, digest)}
    platforms = [digest for digest in along if digest not in attached]
    referrers = {digest for each in going for digest in each.referrers}
    return Impact(
        going=going,
        refused=refused,
        other_tags=tuple(sorted(tag for tag in gone_tags - set(tags) if not is_technical(tag))),
        platforms=tuple(sorted(platforms)),
        referrers=tuple(sorted(attached)),
        broken_indexes=tuple(sorted({index for each in going for index in each.indexes})),
        orphaned_referrers=tuple(sorted(referrers - set(causes))),
    )


def deletable_without_harm(
    facts: DeletionGraph, digests: Collection[str], *, alive: Callable[[], None] = lambda: None
) -> tuple[PlannedDeletion, ...]:
    """Of `digests` those that can go with nothing else losing by it, and what only they need, in order.

    Each has no tag but such as go anyway. What an image, a signature or anything that stays needs is left out.
    `alive` is called while it lasts.
    """
    left = set(digests)
    while True:
        alive()
        found = impact(facts, digests=left)
        orphans, going = set(found.orphaned_referrers), {each.digest for each in found.going}
        harmed = {each.digest for each in found.refused}
        harmed |= {each.digest for each in found.going if _harms(facts, each, orphans, going)}
        harmed = _with_causes(found, harmed) & left
        if not harmed:
            return found.going if left else ()
        left -= harmed


def blobs_of(facts: DeletionGraph, going: Iterable[PlannedDeletion]) -> dict[str, int]:
    """Each blob of what goes, once, with its bytes."""
    found: dict[str, int] = {}
    for each in going:
        held = facts.held.get(each.digest)
        for blob, size in (held.blobs if held else {}).items():
            found[blob] = max(size, found.get(blob, 0))
    return found


def objections(
    digest: str, told: Mapping[str, Sequence[str]], *, tags: Collection[str], indexes: Mapping[str, bool],
    referrers: Collection[str],
) -> list[str]:  # fmt: skip
    """Return what holds `digest` now and was not said when its deletion was confirmed; nothing: it may go.

    `indexes`: those that list it → whether a tag leads there; such a one is never passed over.
    """
    return [
        *sorted(set(tags) - set(told.get("tags", ()))),
        *sorted(each for each, tagged in indexes.items() if tagged or each not in told.get("indexes", ())),
        *sorted(set(referrers) - set(told.get("referrers", ()))),
    ]


def _closure(facts: DeletionGraph, chosen: set[str]) -> dict[str, set[str]]:
    """All that goes → what it goes because of; nothing for what was chosen."""
    causes: dict[str, set[str]] = {digest: set() for digest in chosen}
    reasons: dict[str, set[str]] = {}
    missing: dict[str, int] = {}  # how many of its reasons stay as yet
    left = list(chosen)
    while left:
        digest = left.pop()
        held = facts.held.get(digest)
        for each in {*(held.lists if held else ()), *facts.referrers_of(digest)} & facts.held.keys():
            if each in causes:
                continue
            if each not in reasons:
                reasons[each] = _reasons(facts, each)
                missing[each] = len(reasons[each])
            missing[each] -= 1
            if missing[each] == 0:
                causes[each] = reasons[each]
                left.append(each)
    return causes


def _reasons(facts: DeletionGraph, digest: str) -> set[str]:
    """Return the indexes that list it and what it is about: it goes when all of these do. Nothing: it stays."""
    if any(not is_technical(tag) for tag in facts.tags_of(digest)):
        return set()
    return {*facts.indexes_of(digest), *_subjects(facts, digest)}


def _subjects(facts: DeletionGraph, digest: str) -> set[str]:
    named = {facts.subject_of(tag) for tag in facts.tags_of(digest)} | {facts.held[digest].subject}
    return named - {"", digest}


def tags_left_behind(facts: DeletionGraph, going: Collection[str]) -> list[str]:
    """Tools' tags about what goes, at what stays because it serves others as well."""
    return sorted(
        tag for tag, digest in facts.tags.items() if digest not in going and facts.subject_of(tag) in going
    )


def _harms(facts: DeletionGraph, each: PlannedDeletion, orphans: set[str], going: Collection[str]) -> bool:
    """Return True where its deletion harms what stays.

    An index breaks, what is about it stays alone, or something that stays loses what is about it.
    """
    alone = (other for other in each.referrers if other in orphans)
    return (
        bool(each.indexes)
        or _serves_others(facts, each.digest, going)
        or not all(_only_named_for(facts, other, each.digest, going) for other in alone)
    )


def _serves_others(facts: DeletionGraph, digest: str, going: Collection[str]) -> bool:
    """Return True where a tool hung it onto something that stays."""
    return any(subject not in going for subject in _tagged_subjects(facts, digest))


def _only_named_for(facts: DeletionGraph, other: str, digest: str, going: Collection[str]) -> bool:
    """Return True where `other` is about `digest` by no more than a tag, and serves another that stays.

    Two versions may share what a tool hung onto both.
    """
    named = all(is_technical(tag) for tag in facts.tags_of(other))
    return named and facts.held[other].subject != digest and _serves_others(facts, other, going)


def _tagged_subjects(facts: DeletionGraph, digest: str) -> set[str]:
    return {facts.subject_of(tag) for tag in facts.tags_of(digest)} - {"", digest}


def _with_causes(found: Impact, digests: set[str]) -> set[str]:
    """And what they go because of."""
    causes = {each.digest: each.after for each in found.going}
    seen, new = set[str](), digests
    while new:
        seen |= new
        new = {cause for digest in new for cause in causes.get(digest, ())} - seen
    return seen


def _refusals(facts: DeletionGraph, chosen: set[str], going: Mapping[str, set[str]]) -> Iterable[Refusal]:
    for digest in sorted(chosen):
        for index in facts.indexes_of(digest):
            if index not in going and (tags := tags_that_lead_to(facts, index, going)):
                yield Refusal(digest, index, tuple(tags))


def tags_that_lead_to(facts: DeletionGraph, index: str, going: Collection[str] = ()) -> list[str]:
    """Return its own, and those of indexes that list it and are not `going`."""
    seen, left, found = set[str](), [index], set[str]()
    while left:
        digest = left.pop()
        if digest in seen or digest in going:
            continue
        seen.add(digest)
        found |= set(facts.tags_of(digest))
        left += facts.indexes_of(digest)
    return sorted(found)


def _going(facts: DeletionGraph, digest: str, causes: Mapping[str, set[str]]) -> PlannedDeletion:
    return PlannedDeletion(
        digest=digest,
        tags=tuple(facts.tags_of(digest)),
        indexes=tuple(index for index in facts.indexes_of(digest) if index not in causes),
        referrers=tuple(facts.referrers_of(digest)),
        after=tuple(sorted(causes[digest])),
    )


def _in_order(facts: DeletionGraph, going: Mapping[str, set[str]]) -> list[str]:
    """Each after all indexes that list it, and after what it is about."""
    before = {
        digest: {each for each in {*facts.indexes_of(digest), *because} if each in going and each != digest}
        for digest, because in going.items()
    }
    after = _reversed((first, digest) for digest, firsts in before.items() for first in firsts)
    open_ = {digest: len(firsts) for digest, firsts in before.items()}
    done: list[str] = []
    ready = sorted(digest for digest, number in open_.items() if not number)
    while ready:
        done += ready
        freed = set[str]()
        for digest in chain.from_iterable(after.get(first, ()) for first in ready):
            open_[digest] -= 1
            if not open_[digest]:
                freed.add(digest)
        ready = sorted(freed)
    # What lists itself in a circle has no order.
    return done + sorted(going.keys() - set(done))


def _reversed(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """(key, value) → key → its values, each once, in order."""
    found: dict[str, set[str]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: sorted(values) for key, values in found.items()}
