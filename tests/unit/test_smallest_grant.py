"""What would have allowed a denied request: every case, and that no smaller grant does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.access import (
    REQUIRED_LEVEL,
    AccessContext,
    Action,
    GrantedLevel,
    GrantSource,
    Level,
    UserStatus,
    decide,
)
from namespaces.smallest_grant import (
    DeniedRepository,
    ProposedGrant,
    Remedy,
    RemedyKind,
    remedy,
    sign_in_remedy,
)

IMAGE, NAMESPACE = GrantSource.IMAGE, GrantSource.NAMESPACE
ACTIVE = UserStatus.ACTIVE
GRANTS = st.dictionaries(
    st.sampled_from([IMAGE, NAMESPACE]), st.sampled_from([level for level in Level if level])
).map(lambda levels: tuple(GrantedLevel(source, level) for source, level in levels.items()))
CONTEXTS = st.builds(AccessContext, st.just(ACTIVE), st.just(True), st.booleans(), GRANTS)


def repository(
    *grants: GrantedLevel, own: bool = True, exists: bool = True, public: bool = False
) -> DeniedRepository:
    return DeniedRepository("team", "app", AccessContext(ACTIVE, exists, public, grants), own)


def propose(level: Level, replaces: Level = Level.NONE) -> Remedy:
    return Remedy(RemedyKind.GRANT, (ProposedGrant("team", "app", level, replaces),))


@pytest.mark.parametrize(
    ("action", "denied", "expected"),
    [
        (Action.PULL, repository(), propose(Level.READ)),
        (Action.PUSH, repository(), propose(Level.WRITE)),
        (Action.DELETE, repository(), propose(Level.ADMIN)),
        (Action.PUSH, repository(GrantedLevel(IMAGE, Level.READ)), propose(Level.WRITE, Level.READ)),
        (Action.DELETE, repository(GrantedLevel(IMAGE, Level.WRITE)), propose(Level.ADMIN, Level.WRITE)),
        # What is given on the whole namespace stays as it is.
        (Action.PUSH, repository(GrantedLevel(NAMESPACE, Level.READ)), propose(Level.WRITE)),
        (Action.PUSH, repository(public=True), propose(Level.WRITE)),
        (Action.PUSH, repository(GrantedLevel(NAMESPACE, Level.WRITE)), Remedy(RemedyKind.NOTHING)),
        (Action.PULL, repository(public=True, own=False), Remedy(RemedyKind.NOTHING)),
        (Action.PUSH, repository(public=True, own=False), Remedy(RemedyKind.OTHER_ACCOUNT)),
        (Action.PULL, repository(exists=False, own=False), Remedy(RemedyKind.CREATE_NAMESPACE)),
        (None, repository(), Remedy(RemedyKind.OTHER_NAME)),
    ],
)
def test_each_case(action: Action | None, denied: DeniedRepository, expected: Remedy) -> None:
    assert remedy(action, ACTIVE, [denied]) == expected


@pytest.mark.parametrize(
    ("user_status", "kind"),
    [
        (UserStatus.DISABLED, RemedyKind.ENABLE_USER),
        (UserStatus.EXPIRED, RemedyKind.EXTEND_USER),
        (UserStatus.ACCOUNT_CLOSED, RemedyKind.OPEN_ACCOUNT),
        (UserStatus.ACCOUNT_SUSPENDED, RemedyKind.RESTORE_ACCOUNT),
    ],
)
def test_no_grant_helps_a_user_that_is_blocked(user_status: UserStatus, kind: RemedyKind) -> None:
    assert remedy(Action.PULL, user_status, [repository()]) == Remedy(kind)
    assert sign_in_remedy(user_status, wrong_password=False) == Remedy(kind)
    assert sign_in_remedy(user_status, wrong_password=True) == Remedy(kind)


def test_a_wrong_password_stays_wrong_and_a_user_that_was_blocked_is_not() -> None:
    assert sign_in_remedy(ACTIVE, wrong_password=True) == Remedy(RemedyKind.SIGN_IN)
    assert sign_in_remedy(ACTIVE, wrong_password=False) == Remedy(RemedyKind.NOTHING)


def test_a_name_that_nothing_can_have_stays_refused() -> None:
    assert remedy(Action.PULL, ACTIVE, []) == Remedy(RemedyKind.OTHER_NAME)


def test_of_several_images_those_that_are_denied_and_ours_are_proposed() -> None:
    allowed = DeniedRepository("team", "open", AccessContext(ACTIVE, True, True), True)
    theirs = DeniedRepository("theirs", "base", AccessContext(ACTIVE, False), False)
    other = DeniedRepository("team", "base", AccessContext(ACTIVE), True)
    assert remedy(Action.PULL, ACTIVE, [allowed, theirs, repository(), other]) == Remedy(
        RemedyKind.GRANT,
        (ProposedGrant("team", "app", Level.READ), ProposedGrant("team", "base", Level.READ)),
    )
    assert ProposedGrant("team", "base", Level.READ).target == "team/base"
    assert remedy(Action.PULL, ACTIVE, [allowed, theirs]).kind is RemedyKind.CREATE_NAMESPACE


@given(CONTEXTS, st.sampled_from(Action))
def test_the_proposal_allows_just_that_and_no_smaller_grant_does(
    context: AccessContext, action: Action
) -> None:
    found = remedy(action, ACTIVE, [DeniedRepository("team", "app", context, own=True)])
    if decide(context, action):
        assert found == Remedy(RemedyKind.NOTHING)
        return
    (proposed,) = found.grants
    assert decide(_with(context, proposed.level), action)
    assert not decide(_with(context, Level(proposed.level - 1)), action)
    # Nothing that needs more than the request did.
    for other, needed in REQUIRED_LEVEL.items():
        if needed > REQUIRED_LEVEL[action]:
            assert not decide(_with(context, proposed.level), other)


def _with(context: AccessContext, level: Level) -> AccessContext:
    """Return the context with this level on the image, instead of the one that is there."""
    others = tuple(each for each in context.grants if each.source is not IMAGE)
    granted = (GrantedLevel(IMAGE, level),) if level else ()
    return AccessContext(context.user_status, context.namespace_exists, context.public, others + granted)
