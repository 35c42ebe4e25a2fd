"""The smallest grants that would have served what was used."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.access import Action, Level
from namespaces.ledger.replay import PastUse
from namespaces.ledger.smallest import IMAGES_MOST, Given, Place, Step, needed, smallest, steps

NOON = datetime(2026, 3, 1, tzinfo=UTC)
SOON, LATER = NOON + timedelta(days=1), NOON + timedelta(days=9)
READ, WRITE, ADMIN = Given(Level.READ), Given(Level.WRITE), Given(Level.ADMIN)
ALL, API, WEB = Place(1, ""), Place(1, "api"), Place(1, "web")


def use(action: Action, image: str = "api", confirmed: int = 1) -> PastUse:
    return PastUse(1, 1, image, action, 1, confirmed, NOON)


def test_what_was_confirmed_is_needed_and_a_deletion_that_was_asked_for() -> None:
    uses = [use(Action.PULL), use(Action.PUSH), use(Action.PUSH, "web", 0), use(Action.DELETE, "old", 0)]
    assert needed(uses) == {API: Level.WRITE, Place(1, "old"): Level.ADMIN}
    assert needed([]) == {}


@pytest.mark.parametrize(
    ("grants", "needs", "expected"),
    [
        ({ALL: ADMIN}, {API: Level.READ, WEB: Level.WRITE}, {API: READ, WEB: WRITE}),
        ({ALL: WRITE}, {}, {}),
        ({ALL: READ, API: WRITE}, {API: Level.WRITE}, {API: WRITE}),
        ({ALL: READ, API: WRITE}, {API: Level.READ, WEB: Level.READ}, {API: READ, WEB: READ}),
        ({API: WRITE, WEB: READ}, {API: Level.READ}, {API: READ}),
        ({ALL: READ}, {API: Level.WRITE}, {API: READ}),  # it has been lowered since
        ({API: READ}, {WEB: Level.READ}, {}),  # removed since
        ({Place(2, ""): READ}, {API: Level.READ}, {}),
        # The end is that of the grant that served it, the later of two.
        ({ALL: Given(Level.WRITE, SOON)}, {API: Level.READ}, {API: Given(Level.READ, SOON)}),
        ({ALL: Given(Level.READ, SOON), API: WRITE}, {API: Level.READ}, {API: READ}),
        (
            {ALL: Given(Level.WRITE, SOON), API: Given(Level.READ, LATER)},
            {API: Level.WRITE, WEB: Level.READ},
            {API: Given(Level.WRITE, SOON), WEB: Given(Level.READ, SOON)},
        ),
        (
            {ALL: Given(Level.WRITE, SOON), API: Given(Level.READ, LATER)},
            {API: Level.READ},
            {API: Given(Level.READ, LATER)},
        ),
    ],
)
def test_the_smallest(
    grants: dict[Place, Given], needs: dict[Place, Level], expected: dict[Place, Given]
) -> None:
    assert smallest(needs, grants) == expected


def test_where_many_images_are_used_the_namespace_is_given_at_the_level_that_was_used() -> None:
    many = {Place(1, f"i{number}"): Level.READ for number in range(IMAGES_MOST + 1)}
    assert smallest(many, {ALL: ADMIN}) == {ALL: READ}
    assert smallest(many | {API: Level.WRITE}, {ALL: READ, API: ADMIN}) == {ALL: READ, API: WRITE}
    assert len(smallest(many, dict.fromkeys(many, WRITE))) == IMAGES_MOST + 1
    ends = smallest(many | {API: Level.READ}, {ALL: Given(Level.WRITE, SOON), API: READ})
    assert ends == {ALL: Given(Level.READ, SOON), API: READ}


def test_a_namespace_is_not_given_where_images_have_grants_that_last_longer() -> None:
    grants = {ALL: Given(Level.READ, SOON), API: READ, WEB: READ}
    assert smallest({API: Level.READ, WEB: Level.READ}, grants, images_most=1) == {API: READ, WEB: READ}


def test_steps_leave_out_what_stays() -> None:
    assert steps({ALL: WRITE, WEB: READ}, {API: READ, WEB: READ}) == [
        Step(ALL, WRITE, None),
        Step(API, None, READ),
    ]


LEVELS = st.sampled_from([Level.READ, Level.WRITE, Level.ADMIN])
IMAGES = st.sampled_from(["api", "web", "c", "d"])
GRANTS = st.dictionaries(
    st.builds(Place, st.sampled_from([1, 2]), st.one_of(st.just(""), IMAGES)),
    st.builds(Given, LEVELS, st.sampled_from([None, SOON, LATER])),
)
NEEDS = st.dictionaries(st.builds(Place, st.sampled_from([1, 2]), IMAGES), LEVELS)


def level_of(grants: dict[Place, Given], place: Place, at: datetime) -> Level:
    sources = [grants.get(place), grants.get(Place(place.namespace, ""))]
    live = (each.level for each in sources if each and (each.expires_at is None or each.expires_at > at))
    return max(live, default=Level.NONE)


@pytest.mark.parametrize("most", [IMAGES_MOST, 1])
@given(grants=GRANTS, needs=NEEDS)
def test_it_serves_what_was_used_gives_no_more_than_before_and_nothing_less_would_do(
    grants: dict[Place, Given], needs: dict[Place, Level], most: int
) -> None:
    found = smallest(needs, grants, images_most=most)
    for at in (NOON, SOON):
        served = {place: min(level, level_of(grants, place, at)) for place, level in needs.items()}
        for image in ("api", "web", "c", "d", "another"):
            for namespace in (1, 2):
                place = Place(namespace, image)
                assert level_of(found, place, at) <= level_of(grants, place, at)
                if at == NOON:
                    assert level_of(found, place, at) >= served.get(place, Level.NONE)
    for place, each in found.items():
        less = {**found, place: Given(Level(each.level - 1), each.expires_at)}
        assert any(
            level_of(less, image, at) < min(level, level_of(found, image, at))
            for image, level in needs.items()
            for at in (NOON, SOON, LATER)
        )
