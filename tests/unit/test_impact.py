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


def facts(tags: Mapping[str, str], lists: Mapping[str, str] | None = None, subjects: Mapping[str, str] | None = None,
          held: str = "") -> DeletionGraph:  # fmt: skip
    """In letters: tags {"1.0": "A"}, an index {"I": "AB"}, what is about something {"S": "A"}."""
    lists, subjects = lists or {}, subjects or {}
    letters = {*tags.values(), *"".join(lists.values()), *lists, *subjects, *held}
    return DeletionGraph(
        held={
            ID[each]: ManifestNode(
                ID[each], frozenset(ID[child] for child in lists.get(each, "")), {each: 10},
                ID[subjects[each]] if each in subjects else "",
            )
            for each in letters
        },
        tags={tag: ID[letter] for tag, letter in tags.items()},
    )  # fmt: skip


def letters(digests: tuple[str, ...]) -> str:
    return "".join(NAME[digest] for digest in digests)


MULTI = facts({"1.0": "I"}, {"I": "AB"})


@pytest.mark.parametrize(
    ("given_facts", "tags", "digests", "going", "also", "refused"),
    [
        (facts({"1.0": "A", "2.0": "B"}), ["1.0"], "", "A", [], ""),
        # tags that share the digest go with it
        (facts({"1.0": "A", "latest": "A"}), ["1.0"], "", "A", ["latest"], ""),
        (facts({"1.0": "A", "latest": "A"}), ["1.0", "latest"], "", "A", [], ""),
        # an index goes before what only it lists
        (MULTI, ["1.0"], "", "IAB", [], ""),
        # a platform of a tagged index is never deleted
        (MULTI, [], "A", "A", [], "A"),
        (facts({"1.0": "I", "amd": "A"}, {"I": "AB"}), ["amd"], "", "A", [], "A"),
        # unless the index goes too
        (facts({"1.0": "I", "amd": "A"}, {"I": "AB"}), ["amd", "1.0"], "", "IAB", [], ""),
        # a platform with a tag of its own stays when its index goes
        (facts({"1.0": "I", "amd": "A"}, {"I": "AB"}), ["1.0"], "", "IB", [], ""),
        # a platform that another index lists stays, tagged or not
        (facts({"1.0": "I", "2.0": "J"}, {"I": "AB", "J": "BC"}), ["1.0"], "", "IA", [], ""),
        (facts({"1.0": "I"}, {"I": "AB", "J": "BC"}), ["1.0"], "", "IA", [], ""),
        # an untagged index breaks, and that is said
        (facts({"1.0": "A"}, {"I": "AB"}), ["1.0"], "", "A", [], ""),
        # an untagged index inside a tagged one counts as tagged
        (facts({"1.0": "J"}, {"I": "A", "J": "I"}), [], "A", "A", [], "A"),
        # what is about it goes along
        (facts({"1.0": "A"}, subjects={"S": "A"}), ["1.0"], "", "AS", [], ""),
        (facts({"1.0": "A", f"sha256-{HEX['A']}.sig": "S"}), ["1.0"], "", "AS", [], ""),
        (facts({"1.0": "A", f"sha256-{HEX['A']}": "R"}, {"R": "S"}, {"S": "A"}), ["1.0"], "", "ARS", [], ""),
        # unless it has a name of its own, or is about something else as well
        (facts({"1.0": "A", "sbom": "S"}, subjects={"S": "A"}), ["1.0"], "", "A", [], ""),
        (facts({"1.0": "A", "2.0": "B", f"sha256-{HEX['B']}.sig": "S"}, subjects={"S": "A"}), ["1.0"], "", "A", [], ""),
        # a signature can go alone
        (facts({"1.0": "A", f"sha256-{HEX['A']}.sig": "S"}), [], "S", "S", [], ""),
    ],
)  # fmt: skip
def test_what_goes(
    given_facts: DeletionGraph, tags: list[str], digests: str, going: str, also: list[str], refused: str
) -> None:
    found = impact(given_facts, tags=tags, digests=[ID[each] for each in digests])
    assert letters(tuple(each.digest for each in found.going)) == going
    assert list(found.other_tags) == also
    assert letters(tuple(each.digest for each in found.refused)) == refused


def test_everything_that_depends_is_named() -> None:
    told = facts({"1.0": "A", "latest": "A", "sbom": "S"}, {"I": "AB"}, {"S": "A", "R": "A"})
    found = impact(told, tags=["1.0"])
    assert (letters(found.broken_indexes), letters(found.referrers), letters(found.orphaned_referrers)) == (
        "I",
        "R",
        "S",
    )
    first = found.going[0]
    assert (first.tags, letters(first.indexes), letters(first.referrers)) == (("1.0", "latest"), "I", "RS")
    assert found.going[1].after == (ID["A"],)


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
def test_only_what_was_told_is_no_objection(now: dict[str, object], held: list[str]) -> None:
    told = {"tags": ["1.0"], "indexes": ["I"], "referrers": ["S"]}
    known: dict[str, object] = {"tags": [], "indexes": {}, "referrers": []}
    assert objections("A", told, **(known | now)) == held  # type: ignore[arg-type]


@given(
    tags=st.dictionaries(st.text("0123456789", min_size=1, max_size=2), st.sampled_from("ABCIJ")),
    lists=st.fixed_dictionaries(
        {"I": st.sampled_from(["", "A", "AB", "J"]), "J": st.sampled_from(["", "B", "BC", "C"])}
    ),
    subjects=st.dictionaries(st.sampled_from("SR"), st.sampled_from("ABCIJ")),
    data=st.data(),
)  # fmt: skip
def test_no_image_with_a_tag_that_stays_is_ever_touched(
    tags: dict[str, str], lists: dict[str, str], subjects: dict[str, str], data: st.DataObject
) -> None:
    known = facts(tags, lists, subjects)
    chosen = data.draw(st.sets(st.sampled_from(sorted(tags)))) if tags else set()
    found = impact(known, tags=chosen)
    if found.refused:
        return
    gone = {each.digest for each in found.going}
    assert len(gone) == len(found.going)
    for tag, digest in known.tags.items():
        if tag in chosen or tag in found.other_tags:
            continue
        assert digest not in gone
        needed, left = set(), {digest}
        while left:
            each = left.pop()
            needed.add(each)
            left |= set(known.held[each].lists) - needed
        assert not needed & gone


class Scanned:
    """What goes, and in which order, as it is defined: by looking at everything for each question."""

    def __init__(self, known: DeletionGraph) -> None:
        self.held, self.tags = known.held, known.tags

    def tags_of(self, digest: str) -> list[str]:
        return sorted(tag for tag, points in self.tags.items() if points == digest)

    def indexes_of(self, digest: str) -> list[str]:
        return sorted(each.digest for each in self.held.values() if digest in each.lists)

    def referrers_of(self, digest: str) -> list[str]:
        named = {each.digest for each in self.held.values() if each.subject == digest}
        tagged = {points for tag, points in self.tags.items() if self.subject_of(tag) == digest}
        return sorted((named | tagged) - {digest})

    def subjects_of(self, digest: str) -> set[str]:
        named = {self.subject_of(tag) for tag in self.tags_of(digest)} | {self.held[digest].subject}
        return named - {"", digest}

    def subject_of(self, tag: str) -> str:
        """A tool's tag about what is not held is about nothing."""
        about = technical_subject(tag)
        return about if about in self.held else ""

    def closure(self, chosen: set[str]) -> dict[str, set[str]]:
        causes: dict[str, set[str]] = {digest: set() for digest in chosen}
        while True:
            more = {
                digest: because
                for digest in self.held
                if digest not in causes and (because := self.goes_along(digest, set(causes)))
            }
            if not more:
                return causes
            causes |= more

    def goes_along(self, digest: str, going: set[str]) -> set[str]:
        if any(not is_technical(tag) for tag in self.tags_of(digest)):
            return set()
        because = {*self.indexes_of(digest), *self.subjects_of(digest)}
        return because if because <= going else set()

    def in_order(self, going: Mapping[str, set[str]]) -> list[str]:
        done: list[str] = []
        left = sorted(going)
        while left:
            ready = [
                digest for digest in left
                if not ((set(self.indexes_of(digest)) | going[digest]) & set(left)) - {digest}
            ] or left  # fmt: skip
            done += ready
            left = [digest for digest in left if digest not in ready]
        return done

    def going(self, chosen: set[str]) -> tuple[PlannedDeletion, ...]:
        causes = self.closure(chosen)
        return tuple(
            PlannedDeletion(
                digest, tuple(self.tags_of(digest)),
                tuple(index for index in self.indexes_of(digest) if index not in causes),
                tuple(self.referrers_of(digest)), tuple(sorted(causes[digest])),
            )
            for digest in self.in_order(causes)
        )  # fmt: skip

    def refused(self, chosen: set[str]) -> tuple[Refusal, ...]:
        going = self.closure(chosen)
        return tuple(
            Refusal(digest, index, tuple(tags))
            for digest in sorted(chosen)
            for index in self.indexes_of(digest)
            if index not in going and (tags := self.tags_that_lead_to(index, set(going)))
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
    made = facts(tags, lists, subjects, held=LETTERS)
    known = DeletionGraph(
        {digest: each for digest, each in made.held.items() if NAME[digest] not in lost}, made.tags
    )
    digests = {ID[each] for each in chosen - lost}
    plain, found = Scanned(known), impact(known, digests=digests)
    for digest in ID.values():
        assert known.tags_of(digest) == plain.tags_of(digest)
        assert known.indexes_of(digest) == plain.indexes_of(digest)
        assert known.referrers_of(digest) == plain.referrers_of(digest)
    assert found.going == plain.going(digests)
    assert found.refused == plain.refused(digests)


def test_many_manifests_are_no_work() -> None:
    """Each question once through everything took hours for as many."""
    number = 20_000
    leaves = [f"sha256:{each:064x}" for each in range(number)]
    tops = [f"sha256:{each:064x}" for each in range(number, 2 * number)]
    held = {leaf: ManifestNode(leaf) for leaf in leaves} | {
        top: ManifestNode(top, frozenset({leaf, leaves[0]})) for top, leaf in zip(tops, leaves, strict=True)
    }
    known = DeletionGraph(held, {f"t{each}": top for each, top in enumerate(tops)})
    assert len(impact(known, tags=list(known.tags)).going) == 2 * number
    assert [each.digest for each in deletable_without_harm(known, tops)][:number] == tops


def test_a_stand_in_is_the_same_for_the_same_nonce_and_no_other() -> None:
    assert Placeholder("a").manifest == Placeholder("a").manifest
    assert Placeholder("a").digest != Placeholder("b").digest
    assert Placeholder("a").config_digest.encode() in Placeholder("a").manifest


def test_a_blob_of_two_that_go_counts_once_and_what_is_not_held_has_none() -> None:
    found = {
        "x": ManifestNode("x", frozenset(), {"base": 10, "own": 3}),
        "y": ManifestNode("y", frozenset(), {"base": 12}),
    }  # fmt: skip
    going = [PlannedDeletion("x"), PlannedDeletion("y"), PlannedDeletion("z")]
    assert blobs_of(DeletionGraph(found, {}), going) == {"base": 12, "own": 3}
