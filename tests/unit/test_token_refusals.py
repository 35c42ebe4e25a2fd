"""What was asked in vain, and the pulls that a push asks for along with it."""

import pytest

from namespaces.access import AccessContext, GrantedLevel, GrantSource, Level, UserStatus
from registry_sync.tokens.access_list import (
    MOUNT,
    DeniedAction,
    authorize,
    denied_actions,
    fold_copy_sources,
)
from registry_sync.tokens.scope import RequestedAccess, parse_scopes

DOCKER, REGCTL = "docker/27.5.1", "regctl/0.8"


def may(level: Level) -> AccessContext:
    return AccessContext(
        UserStatus.ACTIVE, grants=(GrantedLevel(GrantSource.NAMESPACE, level),) if level else ()
    )


def vain(scopes: str, world: dict[str, AccessContext]) -> tuple[list[RequestedAccess], list[DeniedAction]]:
    requested = parse_scopes([scopes]).requested
    return requested, list(denied_actions(requested, world, authorize(requested, world)))


def told(
    scopes: str, world: dict[str, AccessContext], client: str = DOCKER
) -> list[tuple[str, str, tuple[str, ...]]]:
    requested, found = vain(scopes, world)
    return [
        (each.repository, each.action, each.sources) for each in fold_copy_sources(requested, found, client)
    ]


def test_each_action_that_was_not_granted_is_told_with_its_verdict() -> None:
    _requested, found = vain(
        "repository:team/app:pull,push repository:team/lib:pull,push",
        {"team/app": may(Level.READ), "team/lib": may(Level.WRITE)},
    )
    assert [(each.repository, each.action) for each in found] == [("team/app", "push")]
    assert not found[0].verdict.allowed
    assert found[0].verdict.reason


WORLD = {"team/app": may(Level.WRITE), "team/base": may(Level.NONE), "team/lib": may(Level.NONE)}
PUSH = "repository:team/app:pull,push"
MOUNTS = f"{PUSH} repository:team/base:pull repository:team/lib:pull"


def test_layers_of_others_are_told_with_the_push_that_was_allowed() -> None:
    assert told(MOUNTS, WORLD) == [("team/app", MOUNT, ("team/base", "team/lib"))]


def test_or_with_the_push_that_was_refused() -> None:
    world = WORLD | {"team/app": may(Level.READ)}
    assert told(MOUNTS, world) == [("team/app", "push", ("team/base", "team/lib"))]


def test_the_pull_of_a_refused_push_is_no_refusal_of_its_own() -> None:
    world = WORLD | {"team/app": may(Level.NONE)}
    assert told(f"{PUSH} repository:team/base:pull", world) == [("team/app", "push", ("team/base",))]


def test_what_else_was_refused_beside_a_refused_push_is_told_by_itself() -> None:
    world = WORLD | {"team/app": may(Level.NONE)}
    assert told("repository:team/app:pull,push,delete repository:team/base:pull", world) == [
        ("team/app", "delete", ()),
        ("team/app", "push", ("team/base",)),
    ]


@pytest.mark.parametrize(
    ("scopes", "client", "expected"),
    [
        (MOUNTS, REGCTL, [("team/base", "pull", ()), ("team/lib", "pull", ())]),  # it copies: the pull failed
        ("repository:team/base:pull", DOCKER, [("team/base", "pull", ())]),  # no push at all
        (PUSH, DOCKER, []),
        (
            f"{PUSH} repository:team/base:delete",
            DOCKER,
            [("team/base", "delete", ())],
        ),  # no layer is reused by that
    ],
)
def test_what_is_no_push_with_layers_of_others_is_told_as_it_is(
    scopes: str, client: str, expected: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert told(scopes, WORLD, client) == expected
