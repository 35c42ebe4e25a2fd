"""The person in the provider's claims."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.sso import identity
from accounts.sso.identity import Identity, read

TOKEN = {"iss": "https://login.example.com", "sub": "ann"}


def who(userinfo: dict[str, Any], *, claim: str = "groups", trust: bool = False, **token: Any) -> Identity:
    return read(TOKEN | token, userinfo, groups_claim=claim, trust_email=trust)


def test_what_both_say_is_userinfos() -> None:
    found = who(
        {"sub": "ann", "email": "new@example.com", "name": "Ann"}, email="old@example.com", auth_time=7
    )
    assert (found.email, found.name, found.authenticated_at) == ("new@example.com", "Ann", 7)


def test_userinfo_cannot_say_when_they_signed_in() -> None:
    assert who({"auth_time": 7}).authenticated_at is None
    assert who({}, auth_time=True).authenticated_at is None
    assert who({}, auth_time="7").authenticated_at is None


@pytest.mark.parametrize(
    ("claims", "trust", "verified"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"email_verified": True}, False, True),
        ({"email_verified": "true"}, False, True),
        ({"email_verified": False}, True, False),
        ({"email_verified": "false"}, True, False),
        ({"email_verified": 1}, False, False),
        ({"email_verified": None}, True, False),
    ],
)
def test_whose_address_is_verified(claims: dict[str, Any], trust: bool, verified: bool) -> None:
    assert who({"email": "ann@example.com", **claims}, trust=trust).email_verified is verified


@pytest.mark.parametrize(
    ("userinfo", "token", "verified"),
    [
        ({"email": "new@example.com"}, {"email": "old@example.com", "email_verified": True}, False),
        ({"email": "new@example.com"}, {"email": "new@example.com", "email_verified": True}, True),
        ({"email": "new@example.com", "email_verified": False}, {"email_verified": True}, False),
        ({"email_verified": True}, {"email": "old@example.com"}, False),
        ({}, {"email": "old@example.com", "email_verified": True}, True),
    ],
)
def test_what_is_said_of_one_address_is_not_said_of_another(
    userinfo: dict[str, Any], token: dict[str, Any], verified: bool
) -> None:
    assert who(userinfo, **token).email_verified is verified


def test_strange_text_is_none() -> None:
    found = who({"email": ["ann@example.com"], "name": 3, "preferred_username": "a\0n"})
    assert (found.email, found.name) == ("", "")


def test_the_same_subject_elsewhere_is_somebody_else() -> None:
    assert identity.uid("https://a.example.com", "1") != identity.uid("https://b.example.com", "1")
    assert identity.uid("https://a.example.com/", "1") == identity.uid("https://a.example.com", "1")
    assert len(identity.uid("https://a.example.com", "x" * 255)) == 64


@pytest.mark.parametrize(
    ("claims", "claim", "groups"),
    [
        ({}, "groups", ()),
        ({"groups": ["b", "a", "a"]}, "groups", ("a", "b")),
        ({"groups": "one"}, "groups", ("one",)),
        ({"groups": ["a", 3, None, "", "x" * 256, "a\0", {}]}, "groups", ("a",)),
        ({"groups": {"a": 1}}, "groups", ()),
        ({"realm_access": {"roles": ["dev"]}}, "realm_access.roles", ("dev",)),
        ({"realm_access": "dev"}, "realm_access.roles", ()),
        ({"https://example.com/groups": ["dev"]}, "https://example.com/groups", ("dev",)),
    ],
)
def test_groups(claims: dict[str, Any], claim: str, groups: tuple[str, ...]) -> None:
    assert who(claims, claim=claim).groups == groups


@pytest.mark.parametrize(
    ("claims", "cut"),
    [
        ({}, False),
        ({"hasgroups": True}, True),
        ({"_claim_names": {"groups": "src1"}}, True),
        ({"_claim_names": {"other": "src1"}}, False),
        ({"_claim_names": "groups"}, False),
    ],
)
def test_groups_that_are_too_many_are_not_none(claims: dict[str, Any], cut: bool) -> None:
    assert who(claims).groups_cut is cut


@pytest.mark.parametrize(
    ("sent", "left_out"), [(0, 0), (identity.GROUPS_MAX, 0), (identity.GROUPS_MAX + 3, 3)]
)
def test_how_many_groups_are_left_out_is_known(sent: int, left_out: int) -> None:
    found = who({"groups": [f"g{number}" for number in range(sent)]})
    assert (len(found.groups), found.groups_left_out) == (sent - left_out, left_out)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(
    st.dictionaries(
        st.sampled_from(["email", "email_verified", "name", "groups", "auth_time", "_claim_names"]), JSON
    )
)
def test_any_claims_give_somebody(claims: dict[str, Any]) -> None:
    found = who(claims)
    assert isinstance(found.email, str)
    assert len(found.groups) <= identity.GROUPS_MAX
