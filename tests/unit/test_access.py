"""Every case of the rule, against an expectation written another way: by the text of docs, not by its code."""

from dataclasses import replace
from itertools import product

import pytest

from namespaces.access import (
    PULL_REQUEST_REASONS,
    AccessContext,
    Action,
    GrantedLevel,
    GrantSource,
    Level,
    UserStatus,
    allowed_actions,
    decide,
)

CASES = list(product(UserStatus, (True, False), (True, False), Level, Level, Action))
RANK = {Action.PULL: 1, Action.PUSH: 2, Action.DELETE: 3}


def facts(user_status: UserStatus, exists: bool, public: bool, wide: Level, narrow: Level) -> AccessContext:
    given = [(GrantSource.NAMESPACE, wide), (GrantSource.IMAGE, narrow)]
    return AccessContext(
        user_status=user_status,
        namespace_exists=exists,
        public=public,
        grants=tuple(GrantedLevel(through, level) for through, level in given if level),
    )


@pytest.mark.parametrize(("user_status", "exists", "public", "wide", "narrow", "action"), CASES)
def test_rule(
    user_status: UserStatus, exists: bool, public: bool, wide: Level, narrow: Level, action: Action
) -> None:
    highest = max(int(wide), int(narrow)) if user_status is UserStatus.ACTIVE else 0
    if public:
        highest = max(highest, 1)
    expected = exists and user_status in {UserStatus.ACTIVE, UserStatus.ANONYMOUS} and highest >= RANK[action]

    verdict = decide(facts(user_status, exists, public, wide, narrow), action)

    assert verdict.allowed is expected
    assert bool(verdict) is expected
    assert verdict.reason
    assert bool(verdict.remedy) is not expected


@pytest.mark.parametrize(("user_status", "exists", "public", "wide", "narrow", "action"), CASES)
def test_a_pull_request_may_pull_what_its_user_may_and_nothing_else(
    user_status: UserStatus, exists: bool, public: bool, wide: Level, narrow: Level, action: Action
) -> None:
    usual = facts(user_status, exists, public, wide, narrow)
    capped = replace(usual, pulls_only=True)
    expected = bool(decide(usual, action)) and action is Action.PULL

    verdict = decide(capped, action)

    assert verdict.allowed is expected
    assert allowed_actions(capped, [action]) == [action] * expected
    assert verdict.reason
    assert bool(verdict.remedy) is not expected
    if verdict.allowed != decide(usual, action).allowed:
        assert verdict.reason in PULL_REQUEST_REASONS


def test_the_trace_names_every_road_the_strongest_first() -> None:
    verdict = decide(facts(UserStatus.ACTIVE, True, True, Level.WRITE, Level.READ), Action.PUSH)
    assert [(each.source, each.level) for each in verdict.sources] == [
        (GrantSource.NAMESPACE, Level.WRITE),
        (GrantSource.IMAGE, Level.READ),
        (GrantSource.PUBLIC, Level.READ),
    ]
    assert verdict.reason == "write on the namespace"


def test_a_level_is_known_by_its_word_and_none_is_no_grant() -> None:
    assert [Level.of(level.word) for level in Level if level] == [level for level in Level if level]
    with pytest.raises(KeyError):
        Level.of("none")
