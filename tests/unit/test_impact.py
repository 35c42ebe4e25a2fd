"""What goes with what is deleted, and what must never go."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.names import is_technical, technical_subject
from registry_sync.deletion.impact import (
    DeletionGraph,
    ManifestNode,
    PlannedDeletion,
    Refusal,
    blobs_of,
    deletable_without_harm,
    impact,
    objections,
)
from registry_sync.deletion.placeholder import Placeholder

HEX = {name: name.encode().hex().ljust(64, "0") for name in "ABCDEIJRS"}
ID = {name: f"sha256:{digits}" for name, digits in HEX.items()}
NAME = {digest: name for name, digest in ID.items()}


def graph_of(
    tags: Mapping[str, str],
    lists: Mapping[str, str] | None = None,
    subjects: Mapping[str, str] | None = None,
    held: str = "",
) -> DeletionGraph:
    """In letters: tags {"1.0": "A"}, an index {"I": "AB"}, what is about something {"S": "A"}."""
    lists, subjects = lists or {}, subjects or {}
    letters = {*tags.values(), *"".join(lists.values()), *lists, *subjects, *held}
    return DeletionGraph(
        nodes={
            ID[each]: ManifestNode(
                ID[each],
                frozenset(ID[child] for child in lists.get(each, "")),
                {each: 10},
                ID[subjects[each]] if each in subjects else "",
            )
            for each in letters
        },
        tags={tag: ID[letter] for tag, letter in tags.items()},
    )


def letters(digests: tuple[str, ...]) -> str:
    return "".join(NAME[digest] for digest in digests)


MULTI = graph_of({"1.0": "I"}, {"I": "AB"})


@pytest.mark.parametrize(
    ("graph", "tags", "digests", "going", "also", "refused"),
    [
        (graph_of({"1.0": "A", "2.0": "B"}), ["1.0"], "", "A", [], ""),
        # tags that share the digest go with it
        (graph_of({"1.0": "A", "latest": "A"}), ["1.0"], "", "A", ["latest"], ""),
        (graph_of({"1.0": "A", "latest": "A"}), ["1.0", "latest"], "", "A", [], ""),
        # an index goes before what only it lists
        (MULTI, ["1.0"], "", "IAB", [], ""),
        # a platform of a tagged index is never deleted
        (MULTI, [], "A", "A", [], "A"),
        (graph_of({"1.0": "I", "amd": "A"}, {"I": "AB"}), ["amd"], "", "A", [], "A"),
        # unless the index goes too
        (graph_of({"1.0": "I", "amd": "A"}, {"I": "AB"}), ["amd", "1.0"], "", "IAB", [], ""),
        # a platform with a tag of its own stays when its index goes
        (graph_of({"1.0": "I", "amd": "A"}, {"I": "AB"}), ["1.0"], "", "IB", [], ""),
        # a platform that another index lists stays, tagged or not
        (graph_of({"1.0": "I", "2.0": "J"}, {"I": "AB", "J": "BC"}), ["1.0"], "", "IA", [], ""),
        (graph_of({"1.0": "I"}, {"I": "AB", "J": "BC"}), ["1.0"], "", "IA", [], ""),
        # an untagged index breaks, and that is said
        (graph_of({"1.0": "A"}, {"I": "AB"}), ["1.0"], "", "A", [], ""),
        # an untagged index inside a tagged one counts as tagged
        (graph_of({"1.0": "J"}, {"I": "A", "J": "I"}), [], "A", "A", [], "A"),
        # what is about it goes along
        (graph_of({"1.0": "A"}, subjects={"S": "A"}), ["1.0"], "", "AS", [], ""),
        (graph_of({"1.0": "A", f"sha256-{HEX['A']}.sig": "S"}), ["1.0"], "", "AS", [], ""),
        (graph_of({"1.0": "A", f"sha256-{HEX['A']}": "R"}, {"R": "S"}, {"S": "A"}), ["1.0"], "", "ARS", [], ""),
        # unless it has a name of its own, or is about something else as well
        (graph_of({"1.0": "A", "sbom": "S"}, subjects={"S": "A"}), ["1.0"], "", "A", [], ""),
        (graph_of({"1.0": "A", "2.0": "B", f"sha256-{HEX['B']}.sig": "S"}, subjects={"S": "A"}),
         ["1.0"], "", "A", [], ""),
        # a signature can go alone
        (graph_of({"1.0": "A", f"sha256-{HEX['A']}.sig": "S"}), [], "S", "S", [], ""),
    ],
)  # fmt: skip
def test_what_goes(
    graph: DeletionGraph, tags: list[str], digests: str, going: str, also: list[str], refused: str
) -> None:
    found = impact(graph, tags=tags, digests=[ID[each] for each in digests])
    assert letters(tuple(each.digest for each in found.deletions)) == going
    assert list(found.other_tags) == also
    assert letters(tuple(each.digest for each in found.refused)) == refused


def test_everything_that_depends_is_named() -> None:
    told = graph_of({"1.0": "A", "latest": "A", "sbom": "S"}, {"I": "AB"}, {"S": "A", "R": "A"})
    found = impact(told, tags=["1.0"])
    assert (letters(found.broken_indexes), letters(found.referrers), letters(found.orphaned_referrers)) == (
        "I",
        "R",
        "S",
    )
    first = found.deletions[0]
    assert (first.tags, letters(first.indexes), letters(first.referrers)) == (("1.0", "latest"), "I", "RS")
    assert found.deletions[1].after == (ID["A"],)


@pytest.mark.parametrize(
    ("now", "held"),
    [
        ({}, []),
        ({"tags": ["1.0"], "indexes": {"I": False}, "referrers": ["S"]}, []),
        ({"tags": ["1.0", "new"]}, ["new"]),
        ({"indexes": {"J": False}}, ["J"]),
        ({"indexes": {"I": True}}, ["I"]),  # told of it untagged; with a tag it is an image that works
        ({"referrers": ["R"]}, ["R"]),
    ],
)
def test_objections_leave_out_what_was_confirmed(now: dict[str, object], held: list[str]) -> None:
    confirmed = {"tags": ["1.0"], "indexes": ["I"], "referrers": ["S"]}
    known: dict[str, object] = {"tags": [], "indexes": {}, "referrers": []}
    assert objections("A", confirmed, **(known | now)) == held  # type: ignore[arg-type]


@given(
    tags=st.dictionaries(st.text("0123456789", min_size=1, max_size=2), st.sampled_from("ABCIJ")),
    lists=st.fixed_dictionaries(
        {"I": st.sampled_from(["", "A", "AB", "J"]), "J": st.sampled_from(["", "B", "BC", "C"])}
    ),
    subjects=st.dictionaries(st.sampled_from("SR"), st.sampled_from("ABCIJ")),
    data=st.data(),
)
def test_no_image_with_a_tag_that_stays_is_ever_touched(
    tags: dict[str, str], lists: dict[str, str], subjects: dict[str, str], data: st.DataObject
) -> None:
    graph = graph_of(tags, lists, subjects)
    chosen = data.draw(st.sets(st.sampled_from(sorted(tags)))) if tags else set()
    found = impact(graph, tags=chosen)
    if found.refused:
        return
    gone = {each.digest for each in found.deletions}
    assert len(gone) == len(found.deletions)
    for tag, digest in graph.tags.items():
        if tag in chosen or tag in found.other_tags:
            continue
        assert digest not in gone
        needed, left = set(), {digest}
        while left:
            each = left.pop()
            needed.add(each)
            left |= set(graph.nodes[each].children) - needed
        assert not needed & gone


class PlainGraph:
    """What is deleted, and in which order, by definition: each question goes through everything."""

    def __init__(self, graph: DeletionGraph) -> None:
        self.nodes, self.tags = graph.nodes, graph.tags

    def tags_of(self, digest: str) -> list[str]:
        return sorted(tag for tag, points in self.tags.items() if points == digest)

    def indexes_of(self, digest: str) -> list[str]:
        return sorted(each.digest for each in self.nodes.values() if digest in each.children)

    def referrers_of(self, digest: str) -> list[str]:
        named = {each.digest for each in self.nodes.values() if each.subject == digest}
        tagged = {points for tag, points in self.tags.items() if self.subject_of(tag) == digest}
        return sorted((named | tagged) - {digest})

    def subjects_of(self, digest: str) -> set[str]:
        named = {self.subject_of(tag) for tag in self.tags_of(digest)} | {self.nodes[digest].subject}
        return named - {"", digest}

    def subject_of(self, tag: str) -> str:
        """A tool's tag about what is not held is about nothing."""
        about = technical_subject(tag)
        return about if about in self.nodes else ""

    def closure(self, chosen: set[str]) -> dict[str, set[str]]:
        causes: dict[str, set[str]] = {digest: set() for digest in chosen}
        while True:
            more = {
                digest: because
                for digest in self.nodes
                if digest not in causes and (because := self.causes_of(digest, set(causes)))
            }
            if not more:
                return causes
            causes |= more

    def causes_of(self, digest: str, deleted: set[str]) -> set[str]:
        if any(not is_technical(tag) for tag in self.tags_of(digest)):
            return set()
        because = {*self.indexes_of(digest), *self.subjects_of(digest)}
        return because if because <= deleted else set()

    def in_order(self, causes: Mapping[str, set[str]]) -> list[str]:
        done: list[str] = []
        left = sorted(causes)
        while left:
            ready = [
                digest
                for digest in left
                if not ((set(self.indexes_of(digest)) | causes[digest]) & set(left)) - {digest}
            ] or left
            done += ready
            left = [digest for digest in left if digest not in ready]
        return done

    def deletions(self, chosen: set[str]) -> tuple[PlannedDeletion, ...]:
        causes = self.closure(chosen)
        return tuple(
            PlannedDeletion(
                digest,
                tuple(self.tags_of(digest)),
                tuple(index for index in self.indexes_of(digest) if index not in causes),
                tuple(self.referrers_of(digest)),
                tuple(sorted(causes[digest])),
            )
            for digest in self.in_order(causes)
        )

    def refused(self, chosen: set[str]) -> tuple[Refusal, ...]:
        deleted = self.closure(chosen)
        return tuple(
            Refusal(digest, index, tuple(tags))
            for digest in sorted(chosen)
            for index in self.indexes_of(digest)
            if index not in deleted and (tags := self.tags_that_lead_to(index, set(deleted)))
        )

    def tags_that_lead_to(self, index: str, seen: set[str]) -> list[str]:
        left, found = [index], set[str]()
        while left:
            digest = left.pop()
            if digest not in seen:
                seen.add(digest)
                found |= set(self.tags_of(digest))
                left += self.indexes_of(digest)
        return sorted(found)


LETTERS = "ABCIJS"
TAGS = ["1", "2", "3", *(f"sha256-{HEX[each]}.sig" for each in LETTERS)]


@given(
    tags=st.dictionaries(st.sampled_from(TAGS), st.sampled_from(LETTERS)),
    lists=st.dictionaries(st.sampled_from(LETTERS), st.text(LETTERS, max_size=3)),  # in circles too
    subjects=st.dictionaries(st.sampled_from(LETTERS), st.sampled_from(LETTERS)),
    chosen=st.sets(st.sampled_from(LETTERS), max_size=4),
    lost=st.sets(st.sampled_from(LETTERS), max_size=1),
)
def test_it_is_what_looking_at_everything_would_find(
    tags: dict[str, str], lists: dict[str, str], subjects: dict[str, str], chosen: set[str], lost: set[str]
) -> None:
    made = graph_of(tags, lists, subjects, held=LETTERS)
    graph = DeletionGraph(
        {digest: each for digest, each in made.nodes.items() if NAME[digest] not in lost}, made.tags
    )
    digests = {ID[each] for each in chosen - lost}
    plain, found = PlainGraph(graph), impact(graph, digests=digests)
    for digest in ID.values():
        assert graph.tags_of(digest) == plain.tags_of(digest)
        assert graph.indexes_of(digest) == plain.indexes_of(digest)
        assert graph.referrers_of(digest) == plain.referrers_of(digest)
    assert found.deletions == plain.deletions(digests)
    assert found.refused == plain.refused(digests)


def test_many_manifests_are_no_work() -> None:
    """Each question once through everything took hours for as many."""
    number = 20_000
    leaves = [f"sha256:{each:064x}" for each in range(number)]
    tops = [f"sha256:{each:064x}" for each in range(number, 2 * number)]
    nodes = {leaf: ManifestNode(leaf) for leaf in leaves} | {
        top: ManifestNode(top, frozenset({leaf, leaves[0]})) for top, leaf in zip(tops, leaves, strict=True)
    }
    graph = DeletionGraph(nodes, {f"t{each}": top for each, top in enumerate(tops)})
    assert len(impact(graph, tags=list(graph.tags)).deletions) == 2 * number
    assert [each.digest for each in deletable_without_harm(graph, tops)][:number] == tops


def test_a_placeholder_is_the_same_for_the_same_nonce_alone() -> None:
    assert Placeholder("a").manifest == Placeholder("a").manifest
    assert Placeholder("a").digest != Placeholder("b").digest
    assert Placeholder("a").config_digest.encode() in Placeholder("a").manifest


def test_blobs_of_counts_a_shared_blob_once_and_manifests_themselves() -> None:
    nodes = {
        "x": ManifestNode("x", frozenset(), {"base": 10, "own": 3}, body_bytes=7),
        "y": ManifestNode("y", frozenset(), {"base": 12}),
    }
    deletions = [PlannedDeletion("x"), PlannedDeletion("y"), PlannedDeletion("z")]
    assert blobs_of(DeletionGraph(nodes, {}), deletions) == {"base": 12, "own": 3, "x": 7, "y": 0, "z": 0}
