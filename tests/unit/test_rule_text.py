"""Rules in words, and what a token proposes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.id_tokens.presets import PRESETS, preset_of
from accounts.id_tokens.proposals import OFFERED_MOST, propose
from accounts.id_tokens.rule_text import added_text, rule_texts
from accounts.id_tokens.rules import RESERVED, match, problems

GITHUB = {
    "iss": "https://token.actions.githubusercontent.com",
    "aud": "https://panel.example.com",
    "repository_id": "74",
    "repository_owner_id": "65",
    "ref": "refs/heads/main",
    "run_id": "1",
    "job_workflow_sha": "0f" * 20,
    "empty": "",
}
PODS = {
    "kubernetes.io": {
        "namespace": "production",
        "serviceaccount": {"name": "push", "uid": "u-1"},
        "pod": {"name": "push-1", "uid": "u-2"},
        "warnafter": 5,
    }
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=20,
)


def test_rules_are_lines() -> None:
    rules = {"ref": {"like": ["refs/tags/v*", "refs/heads/main"]}, "repository_id": {"is": ["74"]}}
    assert rule_texts(rules) == ["repository_id is 74", "ref matches refs/tags/v* or refs/heads/main"]


def test_what_allow_adds() -> None:
    rules = {"ref": {"is": ["x"]}, "environment": {"is": ["y"]}}
    mismatches = match(rules, {"ref": "refs/heads/dev", "environment": "staging"})
    assert added_text(mismatches) == "environment staging and ref refs/heads/dev"


def test_ids_are_filled_in_and_what_changes_in_each_run_is_left_out() -> None:
    found = propose(GITHUB, preset_of("github"))
    assert found.filled == {"repository_id": "74", "repository_owner_id": "65"}
    assert found.offered == (("ref", "refs/heads/main"),)


def test_people_are_told_a_name_that_no_rule_names() -> None:
    found = propose(GITHUB | {"repository": "octo-org/octo-repo"}, preset_of("github"))
    assert found.name == "octo-org/octo-repo"
    assert "repository" not in found.filled
    assert propose(GITHUB, preset_of("github")).name == ""


def test_a_pipeline_is_a_run_of_gitlab_and_none_of_buildkite() -> None:
    claims = {"pipeline_id": "5"}
    assert propose(claims, preset_of("gitlab")).offered == ()
    assert propose(claims, preset_of("buildkite")).filled == {"pipeline_id": "5"}


def test_a_pod_is_of_one_run() -> None:
    found = propose(PODS, preset_of("kubernetes"))
    assert found.filled == {"kubernetes.io.serviceaccount.uid": "u-1"}
    assert dict(found.offered) == {
        "kubernetes.io.namespace": "production",
        "kubernetes.io.serviceaccount.name": "push",
    }


def test_without_ids_the_subject_is_filled_in() -> None:
    assert propose({"sub": "job-1"}, preset_of("other")).filled == {"sub": "job-1"}


@pytest.mark.parametrize("preset", PRESETS)
@given(claims=st.dictionaries(st.text(min_size=1, max_size=9), json_values, max_size=60))
def test_what_is_proposed_matches_the_token(preset: str, claims: dict[str, object]) -> None:
    found = propose(claims, preset_of(preset))
    assert len(found.offered) <= OFFERED_MOST
    assert not RESERVED & {name for name, _value in found.offered}
    for name, value in [*found.filled.items(), *found.offered]:
        assert not match({name: {"is": [value]}}, claims)


def test_what_github_proposes_is_a_policy() -> None:
    rules = {name: {"is": [value]} for name, value in propose(GITHUB, preset_of("github")).filled.items()}
    assert not problems(rules, preset_of("github"), GITHUB["iss"])
