"""Granted requests replayed against changed rules."""

from datetime import UTC, datetime

import pytest

from namespaces.access import BLOCKED, Action, Level, UserStatus
from namespaces.ledger.replay import (
    AccessChange,
    AccessFacts,
    GrantKey,
    NamespaceFacts,
    PastUse,
    UserFacts,
    refused,
)

CI, DEV, THEIRS, NOBODY = 1, 2, 3, None
TEAM, OPEN = 10, 11
FACTS = AccessFacts(
    users={
        CI: UserFacts(1, UserStatus.ACTIVE),
        DEV: UserFacts(1, UserStatus.ACTIVE),
        THEIRS: UserFacts(2, UserStatus.ACTIVE),
    },
    namespaces={TEAM: NamespaceFacts(1, public=False), OPEN: NamespaceFacts(1, public=True)},
    grants={
        GrantKey(CI, TEAM, ""): Level.WRITE,
        GrantKey(CI, TEAM, "api"): Level.READ,
        GrantKey(DEV, OPEN, ""): Level.READ,
    },
)


def use(user: int | None, namespace: int, action: Action = Action.PULL, image: str = "api") -> PastUse:
    return PastUse(user, namespace, image, action, 1, 1, datetime(2026, 3, 1, tzinfo=UTC))


CI_PULLS, CI_PUSHES, CI_PULLS_OTHER = use(CI, TEAM), use(CI, TEAM, Action.PUSH), use(CI, TEAM, image="web")
USES = [
    CI_PULLS, CI_PUSHES, CI_PULLS_OTHER,
    open_dev := use(DEV, OPEN), open_theirs := use(THEIRS, OPEN), open_nobody := use(NOBODY, OPEN),
    open_ci := use(CI, OPEN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (AccessChange(), []),
        (AccessChange(levels={GrantKey(CI, TEAM, ""): Level.NONE}), [CI_PUSHES, CI_PULLS_OTHER]),
        (AccessChange(levels={GrantKey(CI, TEAM, ""): Level.READ}), [CI_PUSHES]),
        (AccessChange(levels={GrantKey(CI, TEAM, ""): Level.ADMIN}), []),
        (AccessChange(levels={GrantKey(CI, TEAM, "api"): Level.NONE}), []),
        (
            AccessChange(levels={GrantKey(CI, TEAM, ""): Level.NONE, GrantKey(CI, TEAM, "api"): Level.WRITE}),
            [CI_PULLS_OTHER],
        ),
        (AccessChange(users=frozenset({CI})), [CI_PULLS, CI_PUSHES, CI_PULLS_OTHER, open_ci]),
        (AccessChange(private=frozenset({OPEN})), [open_theirs, open_nobody, open_ci]),
        (AccessChange(private=frozenset({TEAM})), []),
        (AccessChange(deleted=frozenset({OPEN})), [open_dev, open_theirs, open_nobody, open_ci]),
        (AccessChange(closed=frozenset({1})), USES),
        (AccessChange(closed=frozenset({2})), [open_theirs]),
        (AccessChange(levels={GrantKey(DEV, OPEN, ""): Level.NONE}), []),  # it is public
        (
            AccessChange(levels={GrantKey(DEV, OPEN, ""): Level.NONE}, private=frozenset({OPEN})),
            [open_dev, open_theirs, open_nobody, open_ci],
        ),
    ],
)
def test_what_is_allowed_now_and_not_afterwards_is_refused(change: AccessChange, lost: list[PastUse]) -> None:
    assert refused(USES, FACTS, change) == lost


@pytest.mark.parametrize("status", sorted(BLOCKED))
def test_what_is_refused_already_is_not_lost(status: UserStatus) -> None:
    facts = AccessFacts({**FACTS.users, CI: UserFacts(1, status)}, FACTS.namespaces, FACTS.grants)
    assert refused([CI_PULLS, open_ci], facts, AccessChange(users=frozenset({CI}))) == []


def test_who_and_what_is_gone_loses_nothing() -> None:
    gone = [use(99, OPEN), use(CI, 99)]
    assert not any(FACTS.allows(each) for each in gone)
    assert refused(gone, FACTS, AccessChange(private=frozenset({OPEN}))) == []
