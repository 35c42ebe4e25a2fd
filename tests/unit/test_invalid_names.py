"""Why nothing is given for a name that nothing can have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.names import REPOSITORY_MAX, is_repository
from registry_sync.tokens.invalid_names import explain_invalid
from registry_sync.tokens.scope import CATALOG, MAX_INVALID, parse_scopes

LONG = "team/" + "a" * REPOSITORY_MAX
TABLE = [
    # scope → name, action, the reason's beginning
    ("repository:nginx:push,pull", "nginx", "push", "the name has no namespace"),
    ("repository:Team/App:pull", "Team/App", "pull", "the name has upper-case letters"),
    ("repository:team/app_:pull", "team/app_", "pull", "no image can have this name"),
    ("repository:team//app:*", "team//app", "delete", "no image can have this name"),
    ("repository:localhost:5000/team/app:pull,push", "localhost:5000/team/app", "push", "the name holds a colon"),
    ("repository:team/é:pull", "team/é", "pull", "no image can have this name"),
    ("repository:team/a\u202eb:pull", "team/a\\u202eb", "pull", "no image can have this name"),
    ("repository:team/a\x00b:delete,pull", "team/a\\u0000b", "delete", "no image can have this name"),
    (f"repository:{LONG}:push,pull", LONG[: REPOSITORY_MAX - 1] + "…", "push", "the name has more than 200"),
    ("registry:catalog:*", CATALOG, "list", "no user may list the whole registry"),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "name", "action", "reason"), TABLE)
def test_each_is_told_once_with_a_reason_and_a_way_out(
    scope: str, name: str, action: str, reason: str
) -> None:
    (found,) = explain_invalid(parse_scopes([scope, f"{scope} {scope}"]).invalid)
    assert (found.name, found.action) == (name, action)
    assert found.reason.startswith(reason)
    assert found.remedy.endswith(".")


@pytest.mark.parametrize(
    "scope",
    [
        "repository:team/app:push,pull",
        "repository(plugin):team/app:pull",
        "",
        "x",
        "repository::pull",
        "registry:x:*",
    ],
)
def test_what_is_a_name_or_names_nothing_is_not_told(scope: str) -> None:
    assert not list(explain_invalid(parse_scopes([scope]).invalid))


def test_the_sentence_says_the_real_bound() -> None:
    (found,) = explain_invalid(parse_scopes([f"repository:{LONG}:pull"]).invalid)
    assert f" {REPOSITORY_MAX} " in found.reason


def test_a_request_full_of_them_tells_some() -> None:
    assert (
        len(
            list(
                explain_invalid(
                    parse_scopes([f"repository:n{number}:pull" for number in range(1000)]).invalid
                )
            )
        )
        == MAX_INVALID
    )


@given(st.lists(st.text() | st.from_regex(r"repository:[A-Za-z/:._-]{0,250}:(pull|push|\*)", fullmatch=True)))
def test_nothing_is_both_granted_for_and_explained_as_invalid(scopes: list[str]) -> None:
    parsed = parse_scopes(scopes)
    taken = {each.repository for each in parsed.requested}
    for found in explain_invalid(parsed.invalid):
        assert found.name not in taken
        assert not is_repository(found.name)
        assert len(found.name) <= REPOSITORY_MAX
        assert "\x00" not in found.name
