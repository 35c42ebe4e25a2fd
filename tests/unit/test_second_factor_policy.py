"""Who is let where: the whole truth table."""

from itertools import product

import pytest

from accounts.second_factor_policy import RequiredOf, is_account_closed, is_shut_out

SHUT_OUT = {
    (RequiredOf.OPERATORS, "operator", "without"),
    (RequiredOf.EVERYBODY, "operator", "without"),
    (RequiredOf.EVERYBODY, "person", "without"),
}


@pytest.mark.parametrize(
    "case", list(product(RequiredOf, ["operator", "person"], ["with", "without"])), ids=str
)
def test_who_is_shut_out_of_the_installation(case: tuple[RequiredOf, str, str]) -> None:
    rule, who, factor = case
    found = is_shut_out(rule, operator=who == "operator", has_factor=factor == "with")
    assert found is (case in SHUT_OUT)


@pytest.mark.parametrize(
    ("required", "has_factor", "closed"),
    [(True, True, False), (True, False, True), (False, True, False), (False, False, False)],
)
def test_which_members_an_account_is_closed_to(required: bool, has_factor: bool, closed: bool) -> None:
    assert is_account_closed(required=required, has_factor=has_factor) is closed
