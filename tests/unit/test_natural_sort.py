"""namespaces/natural_sort.py: the order of tags by name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.natural_sort import KEY_MAX, precision, sort_key

NAMES = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", fullmatch=True)
WORDS = st.from_regex(r"[a-z._-]{0,8}", fullmatch=True)
NUMBERS = st.integers(min_value=0, max_value=10**30)


@pytest.mark.parametrize(
    "names",
    [
        ["1.9", "1.10", "1.10.1", "2", "10"],
        ["v1.2", "v1.10", "V2", "v10"],
        ["build-9", "build-10", "build-100"],
        ["2026-01-02", "2026-01-10", "2026-11-01"],
        ["1", "a", "B", "c"],
    ],
)
def test_a_person_would_order_them_so(names: list[str]) -> None:
    turned = names[::-1]
    assert sorted(turned, key=sort_key) == names


@given(WORDS, NUMBERS, NUMBERS, WORDS)
def test_the_first_number_that_differs_decides(word: str, one: int, other: int, rest: str) -> None:
    keys = sort_key(f"{word}{one}{rest}"), sort_key(f"{word}{other}{rest}")
    assert (keys[0] < keys[1]) == (one < other)
    assert (keys[0] == keys[1]) == (one == other)


@given(NAMES, NAMES)
def test_only_names_that_read_alike_are_equal(one: str, other: str) -> None:
    alike = [re.sub(r"\d+", lambda digits: str(int(digits[0])), name.lower()) for name in (one, other)]
    assert (sort_key(one) == sort_key(other)) == (alike[0] == alike[1])


@given(NAMES)
def test_every_legal_name_fits_the_column(name: str) -> None:
    assert len(sort_key(name)) <= KEY_MAX


@pytest.mark.parametrize(
    "names",
    [
        ["1.2.0-alpine", "1.2.0", "1.2", "1", "main", "latest"],
        ["v1.10.0", "v1.9.0", "v2", "stable"],
        ["2026-11-28", "2026", "nightly", "latest"],
        ["main-3f2a1bc", "main"],
    ],
)
def test_the_one_that_says_most_is_first(names: list[str]) -> None:
    assert sorted(set(names), key=precision, reverse=True) == names
