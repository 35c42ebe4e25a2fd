"""Which ID tokens a trust policy lets in: what its rules match, and which rules are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.id_tokens import claims as claim_paths
from accounts.id_tokens.presets import (
    BUILDKITE,
    CIRCLECI,
    FORGEJO,
    GITHUB,
    GITLAB,
    KUBERNETES,
    OTHER,
    PRESETS,
    preset_of,
    preset_of_issuer,
)
from accounts.id_tokens.rules import (
    MOST_COMPARED,
    MOST_PATTERNS,
    MOST_RULES,
    MOST_VALUES,
    MOST_WILDCARDS,
    Mismatch,
    in_order,
    joined_reasons,
    match,
    problems,
    read,
    shown,
)

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
CLAIMS = {
    "repository_id": "74",
    "repository_owner_id": "65",
    "ref": "refs/heads/main",
    "event_name": "push",
    "run_number": 10,
    "ref_protected": True,
    "groups": ["deployers", 7],
    "oidc.circleci.com/project-id": "a1",
    "kubernetes.io": {"namespace": "production", "serviceaccount": {"uid": "u1", "name": "default"}},
    "odd": {"float": 1.5, "nothing": None, "deep": [[1]]},
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("ref", ("refs/heads/main",)),
        ("run_number", ("10",)),
        ("ref_protected", ("true",)),
        ("groups", ("deployers", "7")),
        ("oidc.circleci.com/project-id", ("a1",)),
        ("kubernetes.io.namespace", ("production",)),
        ("kubernetes.io.serviceaccount.uid", ("u1",)),
        ("kubernetes.io.pod.uid", ()),
        ("kubernetes.io", ()),
        ("kubernetes", ()),
        ("ref.x", ()),
        ("odd.float", ()),
        ("odd.nothing", ()),
        ("odd.deep", ()),
        ("absent", ()),
    ],
)
def test_claims_are_found_by_name_and_by_path(path: str, values: tuple[str, ...]) -> None:
    assert claim_paths.texts(claim_paths.find(CLAIMS, path)) == values


def test_every_claim_that_a_rule_can_name_is_listed() -> None:
    flat = claim_paths.flat(CLAIMS)
    assert flat["kubernetes.io.serviceaccount.name"] == ("default",)
    assert flat["groups"] == ("deployers", "7")
    assert not {name for name in flat if name.startswith("odd")}
    for path, values in flat.items():
        assert not match({path: {"is": [values[0]]}}, CLAIMS)


def test_what_is_kept_of_claims_is_bounded_and_fits_any_database() -> None:
    deep: dict[str, Any] = {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}
    assert claim_paths.kept(CLAIMS) == CLAIMS
    assert claim_paths.kept(deep) == {"a": {"b": {"c": {"d": {"e": {}}}}}}
    assert claim_paths.kept({"a": [[[[[[1]]]]]]}) == {"a": [[[[[]]]]]}
    assert claim_paths.kept({"a": [1] * 30, "b\x00": "x\x00\ud800"}) == {"a": [1] * 20, "b": "x?"}
    assert claim_paths.kept({"a": float("inf"), "b": [1.5]}) == {"a": None, "b": [1.5]}
    assert claim_paths.kept({"a": "x" * 400}) == {"a": "x" * 300 + "…"}
    many = claim_paths.kept({f"claim{n}": "x" * 300 for n in range(100)})
    assert 20 < len(many) < 30


def test_a_single_text_is_no_list() -> None:
    assert claim_paths.text(CLAIMS, "ref") == "refs/heads/main"
    assert claim_paths.text(CLAIMS, "groups") == ""


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        ({"repository_id": {"is": ["74"]}}, []),
        ({"repository_id": {"is": ["73", "74"]}}, []),
        ({"repository_id": {"is": ["7"]}}, ["repository_id"]),
        ({"repository_id": {"is": ["7*"]}}, ["repository_id"]),
        ({"repository_id": {"like": ["7*"]}}, []),
        ({"ref": {"like": ["refs/*/main"]}}, []),
        ({"ref": {"like": ["refs/tags/*"]}}, ["ref"]),
        ({"ref": {"like": ["REFS/heads/main"]}}, ["ref"]),
        ({"ref": {"is": ["refs/heads/main"]}, "environment": {"is": ["production"]}}, ["environment"]),
        ({"groups": {"is": ["deployers"]}}, []),
        ({"groups": {"is": ["admins"]}}, ["groups"]),
        ({"absent": {"is": [""]}}, ["absent"]),
        ({"absent": {"like": ["*"]}}, ["absent"]),
        ({"ref": {}}, ["ref"]),
    ],
)
def test_a_policy_matches_when_every_rule_does(rules: Any, wrong: list[str]) -> None:
    assert [each.claim for each in match(rules, CLAIMS)] == wrong


VALUES = st.one_of(st.text(max_size=4), st.integers(0, 99), st.booleans(), st.lists(st.text(max_size=2)))


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES),
    st.sampled_from(["a", "b"]),
    st.text(max_size=4),
)
def test_no_claim_but_one_with_exactly_that_value_matches(
    claims: dict[str, Any], name: str, wanted: str
) -> None:
    matched = not match({name: {"is": [wanted]}}, claims)
    assert matched == (wanted in claim_paths.texts(claims.get(name)))


def test_the_reason_says_what_was_and_what_is_wanted() -> None:
    rules = {"ref": {"is": ["refs/heads/main"]}, "environment": {"like": ["prod*", "stage"]}}
    found = match(rules, {"ref": "refs/pull/9/merge"})
    assert found == (
        Mismatch("environment", (), ("prod*", "stage"), like=True),
        Mismatch("ref", ("refs/pull/9/merge",), ("refs/heads/main",)),
    )
    assert joined_reasons(each.reason for each in found) == (
        "the token has no “environment”; the policy requires prod*, stage; "
        "“ref” is refs/pull/9/merge; the policy requires refs/heads/main"
    )


def test_ids_come_first_in_whatever_order_a_database_gives_them() -> None:
    rules = {name: {"is": ["1"]} for name in ("sub", "ref", "repository_id", "oidc.circleci.com/project-id")}
    found = [claim for claim, _rule in in_order(rules)]
    assert found == ["oidc.circleci.com/project-id", "repository_id", "ref", "sub"]
    assert [claim for claim, _rule in in_order(dict(reversed(rules.items())))] == found


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        ({"repository_id": {"is": ["74"]}}, None),
        ({"repository_owner_id": {"is": ["65"]}, "ref": {"like": ["refs/tags/v*"]}}, None),
        ({}, ""),
        ([], ""),
        ("x", ""),
        ({f"c{n}": {"is": ["1"]} for n in range(MOST_RULES + 1)}, ""),
        ({"a": {"like": ["x*"] * MOST_PATTERNS}, "b": {"like": ["x*"]}}, ""),
        ({"ref": {"like": ["x" + "?" * (MOST_WILDCARDS + 1)]}}, "ref"),
        ({"ref": {"like": ["[a]" * (MOST_WILDCARDS + 1)]}}, "ref"),
        ({"ref": {"is": ["refs/heads/main"]}}, ""),  # of anybody's repository
        ({"repository_id": {"like": ["7?"]}}, ""),
        ({"": {"is": ["1"]}}, ""),
        ({" a": {"is": ["1"]}}, " a"),
        ({"a\x00": {"is": ["1"]}}, "a\x00"),
        ({"a" * 101: {"is": ["1"]}}, "a" * 101),
        ({"aud": {"is": ["1"]}}, "aud"),
        ({"a": ["1"]}, "a"),
        ({"a": {}}, "a"),
        ({"a": {"is": ["1"], "like": ["1"]}}, "a"),
        ({"a": {"matches": ["1"]}}, "a"),
        ({"a": {"is": "1"}}, "a"),
        ({"a": {"is": []}}, "a"),
        ({"a": {"is": [1]}}, "a"),
        ({"a": {"is": ["1\x00"]}}, "a"),
        ({"a": {"is": ["\ud800"]}}, "a"),
        ({"a": {"is": [""]}}, "a"),
        ({"a": {"is": ["x" * 301]}}, "a"),
        ({"a": {"is": ["x"] * (MOST_VALUES + 1)}}, "a"),
        ({"a": {"like": ["*"]}}, "a"),
        ({"a": {"like": ["x*", "**"]}}, "a"),
    ],
)
def test_what_is_wrong_with_rules_is_said_of_the_claim(rules: Any, wrong: str | None) -> None:
    found = problems(rules, GITHUB, GITHUB_ISSUER)
    assert list(found) == ([] if wrong is None else [wrong])
    assert all(found.values())


def test_what_is_stored_is_judged_again() -> None:
    assert read('{"repository_id": {"is": ["74"]}}', GITHUB, GITHUB_ISSUER) == {
        "repository_id": {"is": ["74"]}
    }
    assert read('{"ref": {"is": ["refs/heads/main"]}}', GITHUB, GITHUB_ISSUER) is None


def test_a_reason_names_few_values_and_none_whole_that_is_long() -> None:
    assert shown(["a", "b"]) == "a, b"
    assert shown(["x" * 200, *"bcdefg"]) == "x" * 100 + "…, b, c, d, e …"


def test_an_owner_is_demanded_where_strangers_run_jobs() -> None:
    branch = {"ref": {"is": ["refs/heads/main"]}}
    assert not problems(branch, GITHUB, "https://github.example.com/_services/token")
    assert "repository_owner_id" in problems(branch, GITHUB, GITHUB_ISSUER)[""]
    assert problems({"kubernetes.io.pod.name": {"is": ["a"]}}, KUBERNETES, "https://kubernetes.default.svc")
    assert not problems(
        {"kubernetes.io.namespace": {"is": ["a"]}}, KUBERNETES, "https://kubernetes.default.svc"
    )


@pytest.mark.parametrize(
    ("preset", "claims", "is_one"),
    [
        (GITHUB, {"event_name": "push", "ref": "refs/heads/main"}, False),
        (GITHUB, {"event_name": "workflow_dispatch"}, False),
        (GITHUB, {"event_name": "pull_request"}, True),
        (GITHUB, {"event_name": "pull_request_target", "ref": "refs/heads/main"}, True),
        (GITHUB, {"event_name": "push", "ref": "refs/pull/9/merge"}, True),
        (GITHUB, {"event_name": "push", "head_ref": "evil"}, True),
        (GITHUB, {"ref": "refs/heads/main"}, True),
        (FORGEJO, {"event_name": "pull_request"}, True),
        (FORGEJO, {"event_name": "push", "ref": "refs/tags/v1"}, False),
        (GITLAB, {"pipeline_source": "push", "ref": "main"}, False),
        (GITLAB, {"pipeline_source": "merge_request_event"}, True),
        (GITLAB, {"pipeline_source": "external_pull_request_event"}, True),
        (GITLAB, {"pipeline_source": "web", "ref_path": "refs/merge-requests/1/head"}, True),
        (GITLAB, {"pipeline_source": "parent_pipeline", "ref": "main", "ref_protected": "true"}, True),
        (GITLAB, {"pipeline_source": "pipeline", "ref": "main"}, False),
        (GITLAB, {"ref": "main"}, True),
        (BUILDKITE, {"build_branch": "main"}, False),
        (BUILDKITE, {"build_branch": "stranger:main"}, True),
        (CIRCLECI, {"oidc.circleci.com/vcs-ref": "refs/heads/main"}, False),
        (CIRCLECI, {"oidc.circleci.com/vcs-ref": "refs/heads/pull/9"}, True),
        (KUBERNETES, {"kubernetes.io": {"namespace": "a"}}, False),
        (OTHER, {"sub": "a"}, False),
        (OTHER, {"event_name": "pull_request"}, True),
        (OTHER, {"pipeline_source": "merge_request_event"}, True),
        (OTHER, {"pipeline_source": "parent_pipeline"}, True),
        (OTHER, {"ref": "refs/pull/1/head"}, True),
    ],
)
def test_pull_requests_are_known_by_each_service_s_claims(preset: Any, claims: Any, is_one: bool) -> None:
    assert preset.is_pull_request(claims) is is_one


def test_the_claims_that_say_so_are_named() -> None:
    pulled = {"event_name": "pull_request", "ref": "refs/pull/9/merge", "head_ref": "try-this"}
    assert GITHUB.says_pull_request(pulled) == ["event_name", "ref", "head_ref"]
    assert GITHUB.says_pull_request({"event_name": "push", "ref": "refs/pull/9/merge"}) == ["ref"]
    assert GITHUB.says_pull_request({"ref": "refs/heads/main"}) == ["event_name"]


def test_presets_are_found_by_slug_and_by_issuer() -> None:
    assert preset_of("gitlab") is GITLAB
    assert preset_of("") is preset_of("gone") is OTHER
    assert preset_of_issuer(GITHUB_ISSUER) is GITHUB
    assert preset_of_issuer("https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-00000000000f") is CIRCLECI
    assert preset_of_issuer("https://oidc.circleci.com/org/x/../y") is None
    assert preset_of_issuer("https://gitlab.example.com") is None


def test_every_preset_says_how_to_name_an_owner() -> None:
    for preset in PRESETS.values():
        suggested = {each.claim for each in preset.suggestions}
        assert suggested & set(preset.owner_claims)
        assert all(each.label for each in preset.suggestions)


def test_of_a_long_list_the_first_values_count() -> None:
    """However many patterns are tried on each of them, nobody else waits long."""
    groups = [str(number) for number in range(MOST_COMPARED + 1)]
    assert not match({"groups": {"is": [groups[-2]]}}, {"groups": groups})
    assert match({"groups": {"is": [groups[-1]]}}, {"groups": groups})


def test_so_many_patterns_may_stand_in_a_policy() -> None:
    widest = {"sub": {"like": ["x" + "?" * MOST_WILDCARDS] * MOST_PATTERNS}, "ref": {"is": ["[?*"] * 20}}
    assert not problems(widest, OTHER, "https://issuer.example.com")
