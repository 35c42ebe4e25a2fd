"""What a token grants: never more than was asked, never more than is allowed, and never a word of its own."""

import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from namespaces.access import (
    BLOCKED,
    AccessContext,
    Action,
    GrantedLevel,
    GrantSource,
    Level,
    UserStatus,
    decide,
)
from registry_sync.tokens.access_list import authorize
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.scope import parse_scopes

REPOSITORIES = st.sampled_from(["team/app", "team/app/sub", "team-evil/app", "teamevil/app", "victim/secret"])
ACTIONS = st.sampled_from(["pull", "push", "delete", "*", "all", "", "PULL", "pull\n", "pushpull"])
# That a namespace is public is no grant, and never more than read.
ROADS = st.builds(
    GrantedLevel,
    st.sampled_from([GrantSource.NAMESPACE, GrantSource.IMAGE]),
    st.sampled_from([level for level in Level if level]),
)
FACTS = st.builds(
    AccessContext,
    user_status=st.sampled_from(UserStatus),
    namespace_exists=st.booleans(),
    public=st.booleans(),
    grants=st.lists(ROADS, max_size=3).map(tuple),
)
WORLDS = st.dictionaries(REPOSITORIES, FACTS, min_size=5)
SCOPES = st.lists(
    st.builds(
        "{}:{}:{}".format,
        st.sampled_from(["repository", "repository(plugin)", "registry", "Repository", ""]),
        st.one_of(
            REPOSITORIES, st.sampled_from(["catalog", "*", "team/*", "Team/App", "", "team/../victim/secret"])
        ),
        st.lists(ACTIONS, max_size=4).map(",".join),
    ),
    max_size=6,
)


def granted(scopes: list[str], world: Mapping[str, AccessContext]) -> dict[str, list[str]]:
    return {each["name"]: each["actions"] for each in authorize(parse_scopes(scopes).requested, world)}


@given(SCOPES, WORLDS)
def test_what_is_granted_is_exactly_what_is_asked_and_allowed(
    scopes: list[str], world: Mapping[str, AccessContext]
) -> None:
    """Both ways, with the asked read by another road than the parser's."""
    asked: dict[str, set[str]] = {}
    for item in " ".join(scopes).split(" "):
        kind, name, words = item.split(":") if item else ("", "", "")
        if kind == "repository" and name in world:
            wanted = set(words.split(","))
            asked.setdefault(name, set()).update(set(Action) if "*" in wanted else wanted & set(Action))
    expected = {
        name: [action.value for action in Action if action in words and decide(world[name], action)]
        for name, words in asked.items()
    }
    assert granted(scopes, world) == {name: words for name, words in expected.items() if words}


@given(SCOPES, WORLDS)
def test_a_wildcard_is_never_passed_on(scopes: list[str], world: Mapping[str, AccessContext]) -> None:
    """The registry takes `*` for everything, so a token may not carry one, nor an entry without actions."""
    for actions in granted(scopes, world).values():
        assert actions
        assert set(actions) <= {"pull", "push", "delete"}
        assert len(actions) == len(set(actions))


@given(SCOPES, WORLDS)
def test_asking_for_more_elsewhere_changes_nothing_here(
    scopes: list[str], world: Mapping[str, AccessContext]
) -> None:
    """The source of a mount is an entry of its own: the target's grant does not leak into it."""
    together = granted(scopes, world)
    for name in world:
        alone = [item for item in " ".join(scopes).split(" ") if f":{name}:" in item]
        assert granted(alone, world).get(name) == together.get(name)


@given(SCOPES, WORLDS, st.sampled_from(sorted(BLOCKED)))
def test_who_lost_the_right_gets_nothing_whatever_grants_remain(
    scopes: list[str], world: Mapping[str, AccessContext], user_status: UserStatus
) -> None:
    fallen = {
        name: AccessContext(user_status, facts.namespace_exists, facts.public, facts.grants)
        for name, facts in world.items()
    }
    assert granted(scopes, fallen) == {}


@given(SCOPES, WORLDS)
def test_nobody_signed_in_pulls_what_is_public_at_most(
    scopes: list[str], world: Mapping[str, AccessContext]
) -> None:
    nobody = {
        name: AccessContext(UserStatus.ANONYMOUS, facts.namespace_exists, facts.public, facts.grants)
        for name, facts in world.items()
    }
    for name, actions in granted(scopes, nobody).items():
        assert actions == ["pull"]
        assert nobody[name].public


@given(
    issuer=st.text(),
    service=st.text(),
    subject=st.text(),
    now=st.integers(0, 2**40),
    life=st.integers(60, 3600),
    identity=st.text(),
)
def test_claims_are_of_the_types_both_registries_read(
    issuer: str, service: str, subject: str, now: int, life: int, identity: str
) -> None:
    made = build_claims(
        issuer=issuer, service=service, subject=subject, access=[], now=now, expires_in=life, id=identity
    )
    assert json.loads(json.dumps(made)) == made
    assert (made["iss"], made["aud"], made["sub"], made["jti"]) == (issuer, service, subject, identity)
    assert all(type(made[name]) is int for name in ("exp", "nbf", "iat"))
    assert made["nbf"] <= made["iat"] == now < made["exp"]
    assert made["exp"] - made["iat"] == life
