"""What clients and attackers put into `scope`."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.access import Action
from namespaces.names import is_repository
from registry_sync.tokens.scope import MAX_LENGTH, MAX_REPOSITORIES, RequestedAccess, parse_scopes

PULL, PUSH, DELETE = Action.PULL, Action.PUSH, Action.DELETE


def test_repeated_and_spaced_scopes_are_united_in_the_order_first_named() -> None:
    values = ["repository:a/x:pull repository:b/y:pull", "repository:a/x:push,pull"]
    assert parse_scopes(values).requested == [
        RequestedAccess("a/x", frozenset({PULL, PUSH})),
        RequestedAccess("b/y", frozenset({PULL})),
    ]


def test_a_star_asks_for_every_action() -> None:
    assert parse_scopes(["repository:a/x:*"]).requested == [
        RequestedAccess("a/x", frozenset({PULL, PUSH, DELETE}))
    ]


@pytest.mark.parametrize(
    "scope",
    [
        "", " ", ":", "::", "repository", "repository:a/b", "repository:a/b:", "repository::pull", ":a/b:pull",
        "repository(plugin):a/b:pull", "Repository:a/b:pull", "registry:catalog:*", "repository:A/b:pull",
        "repository:a/../b:pull", "repository:a//b:pull", "repository:/a/b:pull", "repository:a/b/:pull",
        "repository:a/./b:pull", "repository:a%2fb:pull", "repository:a\\b:pull", "repository:a/b\n:pull",
        "repository:a/b\x00:pull", "repository:é/b:pull", "repository:a:pull", "repository:*:pull",
        "repository:reg.example:5000/a/b:pull", "repository:a/b:all", "repository:a/b:PULL",
        "repository:" + "a/" * 120 + "a:pull", "repository:a/" + "b" * 300 + ":pull",
    ],
)  # fmt: skip
def test_what_is_malformed_is_skipped_and_its_twin_still_counts(scope: str) -> None:
    assert parse_scopes([scope, "repository:good/twin:pull"]).requested == [
        RequestedAccess("good/twin", frozenset({PULL}))
    ]


def asked(count: int, length: int = 0) -> list[str]:
    """So many of one length, each of another repository."""
    return [f"repository:a/{number:0{max(length - 18, 6)}}:pull" for number in range(count)]


@pytest.mark.parametrize("count", [MAX_REPOSITORIES, MAX_REPOSITORIES + 1, 2 * MAX_REPOSITORIES])
@pytest.mark.parametrize("spaced", [True, False], ids=["in one parameter", "repeated"])
def test_of_too_many_the_first_count(count: int, spaced: bool) -> None:
    """And the same again: what is asked twice is one, and a later word about it is heard."""
    scopes = [*asked(count), "repository:a/000000:push", f"repository:a/{count - 1:06}:push"]
    found = parse_scopes([" ".join(scopes)] if spaced else scopes).requested
    assert [each.repository for each in found] == [f"a/{number:06}" for number in range(MAX_REPOSITORIES)]
    assert found[0].actions == {PULL, PUSH}
    assert (found[-1].actions == {PULL, PUSH}) is (count == MAX_REPOSITORIES)


@pytest.mark.parametrize("spaced", [True, False], ids=["in one parameter", "repeated"])
def test_of_too_much_the_first_counts(spaced: bool) -> None:
    fitting = MAX_LENGTH // 128
    scopes = asked(fitting + 10, length=128)
    assert {len(scope) for scope in scopes} == {128}
    found = parse_scopes([" ".join(scopes)] if spaced else scopes).requested
    assert [each.repository for each in found] == [scope.split(":")[1] for scope in scopes[:fitting]]


def test_the_front_of_what_is_too_long_is_not_taken_for_the_whole() -> None:
    almost = "x" * (MAX_LENGTH - len("repository:a/b:pull"))
    assert parse_scopes([f"{almost} repository:a/b:pull"]).requested == [
        RequestedAccess("a/b", frozenset({PULL}))
    ]
    assert parse_scopes([f"{almost} repository:a/b:pull,push"]).requested == []
    assert parse_scopes([almost, "repository:a/b:pull/c:push", "repository:d/e:pull"]).requested == []


@pytest.mark.parametrize(
    "text",
    [
        " " * 200_000, "a " * 100_000, ":" * 200_000, "repository:a/b:* " * 12_000, "repository:" + "a-" * 99 + "a/b:",
        "repository:" + "a/" * 100_000 + ":pull", "repository:a/b:" + "pull," * 40_000,
        " ".join(f"repository:a/{'b' * 190}{number}:pull" for number in range(1000)),
    ],
    ids=["spaces", "words", "colons", "one repository", "one long name", "one longer name", "actions", "long names"],
)  # fmt: skip
def test_whatever_is_sent_costs_a_fraction_of_a_second(text: str) -> None:
    began = time.process_time()
    assert len(parse_scopes([text]).requested) <= MAX_REPOSITORIES
    assert time.process_time() - began < 0.5  # a tenth of it on a slow machine


# The grammar of the specification, as one expression, with the panel's names in it and `*`, which clients send.
PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
ITEM = re.compile(rf"repository:({PART}(?:/{PART})+):([^:]*)")
PIECES = st.sampled_from([
    "repository", "registry", "repository(plugin)", ":", ":", "/", ",", " ", "  ", "a", "b", "team/app", "a/b", "A/b",
    "*", "pull", "push", "delete", "pull,push", "repository:a/b:pull", "repository:c/d/e:*", "localhost:5000/a/b",
    "\n", "\t", "é",
])  # fmt: skip


@given(st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=4))
def test_it_is_read_as_the_grammar_says(values: list[str]) -> None:
    expected: dict[str, set[str]] = {}
    for match in filter(None, map(ITEM.fullmatch, " ".join(values).split(" "))):
        words = set(match[2].split(","))
        actions = set(Action) if "*" in words else words & set(Action)
        if actions:
            expected.setdefault(match[1], set()).update(actions)
    assert parse_scopes(values).requested == [
        RequestedAccess(name, frozenset(actions)) for name, actions in expected.items()
    ]


@given(st.lists(st.text(max_size=80), max_size=20))
def test_whatever_comes_only_legal_repositories_leave(values: list[str]) -> None:
    for requested in parse_scopes(values).requested:
        assert is_repository(requested.repository)
        assert requested.actions
