"""What `make soak` counts: a soak that praises what was lost is worse than none."""

import math
from typing import Any

from tests.load.soak.tally import (
    GONE,
    Act,
    Move,
    Sightings,
    Told,
    longest_gap,
    losses,
    percentile,
    spans,
    waits,
    written,
)

NAME = ("team/app", "v1")


def act(number: int, outcome: str, *, began: float = 0, status: int = 201, tags: str = "v1") -> Act:
    return Act(number, "team/app", tags.split(), outcome, "ci", began, status)


def told(*events: tuple[int, float], status: int = 202) -> Told:
    return Told(_event(number, at, status) for number, at in events)


def _event(number: int, at: float, status: int) -> dict[str, Any]:
    return {"client": f"act/{number}", "action": "push", "status": status, "answered": at}


def sightings(*changes: tuple[float, str]) -> Sightings:
    seen = Sightings()
    for at, digest in changes:
        seen.note(at, NAME, digest)
    return seen


def move(new: str, by: str = "ci") -> Move:
    return Move("team/app", "v1", new, by)


def test_only_what_got_our_202_was_told() -> None:
    refused = told((1, 5.0), status=503)
    assert refused.at == {}
    assert refused.refused == {1}
    again = Told([_event(1, 5.0, 503), _event(1, 7.0, 202), _event(1, 9.0, 202)])
    assert again.at == {1: 7.0}


def test_pulls_and_children_are_no_acts() -> None:
    pull = {"client": "act/1", "action": "pull", "status": 202, "answered": 1.0}
    assert Told([pull, {**pull, "action": "push", "client": "soak/1"}]).at == {}


def test_what_the_registry_had_in_memory_when_it_was_killed_is_counted_apart() -> None:
    before, after, refused = (
        act(1, "a", began=10),
        act(2, "b", began=30),
        act(3, "c", began=10, status=404),
    )
    lost = losses([before, after, refused, act(4, "d")], told((4, 1.0)), [20.0])
    assert lost.memory == [before]
    assert lost.otherwise == [after]


def test_without_a_kill_nothing_may_be_lost() -> None:
    assert losses([act(1, "a")], told(), []).otherwise == [act(1, "a")]


def test_a_push_is_shown_when_the_inventory_says_so() -> None:
    found = waits([act(1, "a")], told((1, 10.0)), sightings((12.5, "a")))
    assert found == {(1, "v1"): 2.5}


def test_an_inventory_that_was_quicker_than_the_event_waited_for_nothing() -> None:
    assert waits([act(1, "a")], told((1, 10.0)), sightings((8.0, "a"))) == {(1, "v1"): 0}


def test_what_the_inventory_said_before_is_not_what_was_told() -> None:
    found = waits([act(1, "a"), act(2, "b")], told((1, 1.0), (2, 10.0)), sightings((2.0, "a"), (14.0, "b")))
    assert found == {(1, "v1"): 1.0, (2, "v1"): 4.0}


def test_a_push_that_the_next_one_replaced_is_shown_with_that() -> None:
    found = waits([act(1, "a"), act(2, "b")], told((1, 10.0), (2, 11.0)), sightings((13.0, "b")))
    assert found == {(1, "v1"): 3.0, (2, "v1"): 2.0}


def test_what_was_replaced_without_being_told_counts_too() -> None:
    found = waits([act(1, "a"), act(2, "b", began=11)], told((1, 10.0)), sightings((15.0, "b")))
    assert found == {(1, "v1"): 5.0}


def test_what_is_never_shown_waits_for_ever() -> None:
    assert waits([act(1, "a")], told((1, 10.0)), sightings((2.0, "b"))) == {(1, "v1"): math.inf}
    refused = [act(1, "a"), act(2, "b", began=11, status=403)]
    assert waits(refused, told((1, 10.0)), sightings((12.0, "b"))) == {(1, "v1"): math.inf}


def test_a_delete_is_shown_when_each_of_its_tags_is_gone() -> None:
    seen = sightings((1.0, "a"), (12.0, GONE))
    seen.note(1.0, ("team/app", "v2"), "a")
    found = waits([act(2, GONE, tags="v1 v2")], told((2, 10.0)), seen)
    assert found == {(2, "v1"): 2.0, (2, "v2"): math.inf}


def test_each_told_move_is_in_the_history_with_who_did_it() -> None:
    acts = [act(1, "a"), act(2, "b"), act(3, "a"), act(4, GONE)]
    events = told((1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0))
    whole = written(acts, events, [move("a"), move("b"), move("a"), move(GONE)])
    assert (whole.expected, whole.missing, whole.nobodys) == (4, [], [])
    once = written(acts, events, [move("a"), move("b", by=""), move(GONE, by="")])
    assert once.missing == [acts[2]]
    assert once.nobodys == [acts[1], acts[3]]


def test_a_push_of_what_is_there_is_no_move() -> None:
    same = written([act(1, "a"), act(2, "a")], told((1, 1.0), (2, 2.0)), [move("a")])
    assert (same.expected, same.missing) == (1, [])


def test_nobody_is_asked_for_a_move_that_only_an_untold_one_made_one() -> None:
    acts = [act(1, "a"), act(2, "b"), act(3, "a")]
    assert written(acts, told((1, 1.0), (3, 3.0)), [move("a")]).expected == 1


def test_gaps_and_percentiles() -> None:
    assert longest_gap([1.0, 1.5, 4.0, 4.1]) == 2.5
    assert longest_gap([]) == math.inf
    assert spans([9.0, 1.0, 2.5], 2) == [[1.0, 2.5], [9.0]]
    assert percentile([3, 1, 2], 50) == 2
    assert percentile([*range(99), math.inf], 99) == 98
    assert math.isnan(percentile([], 99))
