"""What clients and attackers put into `scope`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.access import Action
from namespaces.names import is_repository
from registry_sync.token.scope import MAX_ITEMS, Requested, TooMuch, parse

PULL, PUSH, DELETE = Action.PULL, Action.PUSH, Action.DELETE


def test_repeated_and_spaced_scopes_are_united_in_the_order_first_named() -> None:
    values = ["repository:a/x:pull repository:b/y:pull", "repository:a/x:push,pull"]
    assert parse(values) == [Requested("a/x", frozenset({PULL, PUSH})), Requested("b/y", frozenset({PULL}))]


def test_a_star_asks_for_every_action() -> None:
    assert parse(["repository:a/x:*"]) == [Requested("a/x", frozenset({PULL, PUSH, DELETE}))]


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
    assert parse([scope, "repository:good/twin:pull"]) == [Requested("good/twin", frozenset({PULL}))]


@pytest.mark.parametrize("values", [["repository:a/b:pull"] * (MAX_ITEMS + 1), ["x" * 20_000]])
def test_more_than_any_client_asks_for_is_refused(values: list[str]) -> None:
    with pytest.raises(TooMuch):
        parse(values)


@given(st.lists(st.text(max_size=80), max_size=20))
def test_whatever_comes_only_legal_repositories_leave(values: list[str]) -> None:
    for requested in parse(values):
        assert is_repository(requested.repository)
        assert requested.actions
