"""What a deletion takes with it, what it would break, and which blobs it frees. PURE.

A manifest that a tagged index lists is never deleted: the image would remain, and fail on that platform.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from namespaces.names import is_technical, stem_of, technical_stem


@dataclass(frozen=True, slots=True)
class ManifestNode:
    """A manifest in the image's repository. `children`: what an index lists; `blobs`: digest → bytes."""

    digest: str
    children: frozenset[str] = frozenset()
    blobs: Mapping[str, int] = field(default_factory=dict)
    subject: str = ""  # the digest that it is about, if it is a signature or the like
    attestations: frozenset[str] = (
        frozenset()
    )  # those of `children` that are no platform, as buildx makes them
    body_bytes: int = 0


@dataclass(frozen=True)
class DeletionGraph:
    """The manifests around those to delete. `nodes`: by digest; `tags`: tag → digest, technical ones too.

    Not to be changed: the reverse look-ups are built once, at the first use, for up to a hundred thousand nodes.
    """

    nodes: Mapping[str, ManifestNode]
    tags: Mapping[str, str]

    def tags_of(self, digest: str) -> list[str]:
        return self._tags.get(digest, [])

    def indexes_of(self, digest: str) -> list[str]:
        return self._indexes.get(digest, [])

    def referrers_of(self, digest: str) -> list[str]:
        """Return what is about it, by its own `subject` or by its technical tag."""
        return self._referrers.get(digest, [])

    def subject_of(self, tag: str) -> str:
        """Return the digest that a technical tag is about, if that is a node; else ""."""
        return self._stems.get(technical_stem(tag), "")

    @cached_property
    def _stems(self) -> dict[str, str]:
        return {stem_of(digest): digest for digest in self.nodes}

    @cached_property
    def _tags(self) -> dict[str, list[str]]:
        return _reversed((digest, tag) for tag, digest in self.tags.items())

    @cached_property
    def _indexes(self) -> dict[str, list[str]]:
        return _reversed((child, each.digest) for each in self.nodes.values() for child in each.children)

    @cached_property
    def _referrers(self) -> dict[str, list[str]]:
        named = ((each.subject, each.digest) for each in self.nodes.values())
        tagged = ((self.subject_of(tag), digest) for tag, digest in self.tags.items())
        return _reversed(
            (about, digest) for about, digest in chain(named, tagged) if about not in ("", digest)
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """`digest` cannot be deleted: `index` lists it, and these tags lead to that index."""

    digest: str
    index: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedDeletion:
    """A manifest to delete, and all that depends on it. `after`: must be deleted before it, else it stays."""

    digest: str
    tags: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()  # without a tag, and broken afterwards
    referrers: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """What a deletion would do. `deletions`: in the order to do them, an index before its children."""

    deletions: tuple[PlannedDeletion, ...]
    refused: tuple[Refusal, ...] = ()
    other_tags: tuple[str, ...] = ()  # of what is deleted, and not among the chosen
    platforms: tuple[str, ...] = ()  # deleted too: what only deleted indexes list
    referrers: tuple[str, ...] = ()  # deleted too: signatures and the like
    broken_indexes: tuple[str, ...] = ()  # without a tag, incomplete afterwards
    orphaned_referrers: tuple[str, ...] = ()  # stay, tagged or listed elsewhere, without what they are about


def impact(graph: DeletionGraph, *, tags: Collection[str] = (), digests: Collection[str] = ()) -> Impact:
    """Return what deleting `digests`, and what `tags` point at, would do."""
    chosen = {graph.tags[tag] for tag in tags if tag in graph.tags} | set(digests)
    causes = _closure(graph, chosen)
    refused = tuple(_refusals(graph, chosen, causes))
    deletions = tuple(_planned_deletion(graph, digest, causes) for digest in _in_order(graph, causes))
    gone_tags = {tag for each in deletions for tag in each.tags}
    dependents = [digest for digest in causes if digest not in chosen]
    attestations = {
        each for digest in causes if digest in graph.nodes for each in graph.nodes[digest].attestations
    }
    attached = {digest for digest in dependents if digest in attestations or _subjects(graph, digest)}
    platforms = [digest for digest in dependents if digest not in attached]
    referrers = {digest for each in deletions for digest in each.referrers}
    return Impact(
        deletions=deletions,
        refused=refused,
        other_tags=tuple(sorted(tag for tag in gone_tags - set(tags) if not is_technical(tag))),
        platforms=tuple(sorted(platforms)),
        referrers=tuple(sorted(attached)),
        broken_indexes=tuple(sorted({index for each in deletions for index in each.indexes})),
        orphaned_referrers=tuple(sorted(referrers - set(causes))),
    )


def deletable_without_harm(
    graph: DeletionGraph, digests: Collection[str], *, alive: Callable[[], None] = lambda: None
) -> tuple[PlannedDeletion, ...]:
    """Return those of `digests` that nothing else needs, and what only they need, in the order to delete them.

    None has a tag that stays. What an image, a signature or anything else that stays needs is left out.
    `alive` is called while this lasts.
    """
    left = set(digests)
    while True:
        alive()
        found = impact(graph, digests=left)
        orphans, deleted = set(found.orphaned_referrers), {each.digest for each in found.deletions}
        harmed = {each.digest for each in found.refused}
        harmed |= {each.digest for each in found.deletions if _harms(graph, each, orphans, deleted)}
        harmed = _with_causes(found, harmed) & left
        if not harmed:
            return found.deletions if left else ()
        left -= harmed


def blobs_of(graph: DeletionGraph, deletions: Iterable[PlannedDeletion]) -> dict[str, int]:
    """Return the blobs of these manifests and they themselves, digest → bytes."""
    found: dict[str, int] = {}
    for each in deletions:
        node = graph.nodes.get(each.digest)
        found[each.digest] = node.body_bytes if node else 0
        for blob, size in (node.blobs if node else {}).items():
            found[blob] = max(size, found.get(blob, 0))
    return found


def objections(
    digest: str,
    confirmed: Mapping[str, Sequence[str]],
    *,
    tags: Collection[str],
    indexes: Mapping[str, bool],
    referrers: Collection[str],
) -> list[str]:
    """Return what needs `digest` now and was not shown when its deletion was confirmed; nothing: delete it.

    `confirmed`: what was shown. `indexes`: each that lists it → whether a tag leads there; such a one always counts.
    """
    return [
        *sorted(set(tags) - set(confirmed.get("tags", ()))),
        *sorted(
            each for each, tagged in indexes.items() if tagged or each not in confirmed.get("indexes", ())
        ),
        *sorted(set(referrers) - set(confirmed.get("referrers", ()))),
    ]


def _closure(graph: DeletionGraph, chosen: set[str]) -> dict[str, set[str]]:
    """Return all that is deleted → because of which other deletions; none for what was chosen."""
    causes: dict[str, set[str]] = {digest: set() for digest in chosen}
    reasons: dict[str, set[str]] = {}
    missing: dict[str, int] = {}  # how many of its reasons are not deleted as yet
    left = list(chosen)
    while left:
        digest = left.pop()
        node = graph.nodes.get(digest)
        for each in {*(node.children if node else ()), *graph.referrers_of(digest)} & graph.nodes.keys():
            if each in causes:
                continue
            if each not in reasons:
                reasons[each] = _reasons(graph, each)
                missing[each] = len(reasons[each])
            missing[each] -= 1
            if missing[each] == 0:
                causes[each] = reasons[each]
                left.append(each)
    return causes


def _reasons(graph: DeletionGraph, digest: str) -> set[str]:
    """Return the indexes that list it and what it is about: when all are deleted, so is it. Nothing: it stays."""
    if any(not is_technical(tag) for tag in graph.tags_of(digest)):
        return set()
    return {*graph.indexes_of(digest), *_subjects(graph, digest)}


def _subjects(graph: DeletionGraph, digest: str) -> set[str]:
    named = {graph.subject_of(tag) for tag in graph.tags_of(digest)} | {graph.nodes[digest].subject}
    return named - {"", digest}


def tags_left_behind(graph: DeletionGraph, deleted: Collection[str]) -> list[str]:
    """Return technical tags about what is deleted, at manifests that stay because they serve others too."""
    return sorted(
        tag
        for tag, digest in graph.tags.items()
        if digest not in deleted and graph.subject_of(tag) in deleted
    )


def _harms(graph: DeletionGraph, each: PlannedDeletion, orphans: set[str], deleted: Collection[str]) -> bool:
    """Return True where its deletion harms what stays.

    An index breaks, a referrer stays without its subject, or something that stays loses a referrer.
    """
    orphaned = (other for other in each.referrers if other in orphans)
    return (
        bool(each.indexes)
        or _serves_others(graph, each.digest, deleted)
        or not all(_refers_by_tag_alone(graph, other, each.digest, deleted) for other in orphaned)
    )


def _serves_others(graph: DeletionGraph, digest: str, deleted: Collection[str]) -> bool:
    """Return True where a technical tag makes it a referrer of something that stays."""
    return any(subject not in deleted for subject in _tagged_subjects(graph, digest))


def _refers_by_tag_alone(graph: DeletionGraph, other: str, digest: str, deleted: Collection[str]) -> bool:
    """Return True where `other` is about `digest` by no more than a tag, and serves another that stays.

    Two versions may share what a tool hung onto both.
    """
    named = all(is_technical(tag) for tag in graph.tags_of(other))
    return named and graph.nodes[other].subject != digest and _serves_others(graph, other, deleted)


def _tagged_subjects(graph: DeletionGraph, digest: str) -> set[str]:
    return {graph.subject_of(tag) for tag in graph.tags_of(digest)} - {"", digest}


def _with_causes(found: Impact, digests: set[str]) -> set[str]:
    """Return `digests`, and all because of which they are deleted."""
    causes = {each.digest: each.after for each in found.deletions}
    seen, new = set[str](), digests
    while new:
        seen |= new
        new = {cause for digest in new for cause in causes.get(digest, ())} - seen
    return seen


def _refusals(graph: DeletionGraph, chosen: set[str], deleted: Mapping[str, set[str]]) -> Iterable[Refusal]:
    for digest in sorted(chosen):
        for index in graph.indexes_of(digest):
            if index not in deleted and (tags := tags_that_lead_to(graph, index, deleted)):
                yield Refusal(digest, index, tuple(tags))


def tags_that_lead_to(graph: DeletionGraph, index: str, deleted: Collection[str] = ()) -> list[str]:
    """Return the tags of the index, and of all above it that are not `deleted`."""
    seen, left, found = set[str](), [index], set[str]()
    while left:
        digest = left.pop()
        if digest in seen or digest in deleted:
            continue
        seen.add(digest)
        found |= set(graph.tags_of(digest))
        left += graph.indexes_of(digest)
    return sorted(found)


def _planned_deletion(graph: DeletionGraph, digest: str, causes: Mapping[str, set[str]]) -> PlannedDeletion:
    return PlannedDeletion(
        digest=digest,
        tags=tuple(graph.tags_of(digest)),
        indexes=tuple(index for index in graph.indexes_of(digest) if index not in causes),
        referrers=tuple(graph.referrers_of(digest)),
        after=tuple(sorted(causes[digest])),
    )


def _in_order(graph: DeletionGraph, deleted: Mapping[str, set[str]]) -> list[str]:
    """Return each digest after all indexes that list it, and after its subject."""
    before = {
        digest: {each for each in {*graph.indexes_of(digest), *because} if each in deleted and each != digest}
        for digest, because in deleted.items()
    }
    after = _reversed((first, digest) for digest, firsts in before.items() for first in firsts)
    blocked_by = {digest: len(firsts) for digest, firsts in before.items()}
    done: list[str] = []
    ready = sorted(digest for digest, number in blocked_by.items() if not number)
    while ready:
        done += ready
        unblocked = set[str]()
        for digest in chain.from_iterable(after.get(first, ()) for first in ready):
            blocked_by[digest] -= 1
            if not blocked_by[digest]:
                unblocked.add(digest)
        ready = sorted(unblocked)
    # Indexes that list each other in a circle have no order.
    return done + sorted(deleted.keys() - set(done))


def _reversed(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return key → its values, each once, sorted."""
    found: dict[str, set[str]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: sorted(values) for key, values in found.items()}
