"""Where a change of a tag belongs in its history, whenever it was heard of."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from registry_sync.inventory.tag_timeline import Move, TagChange, TagState, Timeline

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def change(digest: str, minute: float, by: str = "ci") -> TagChange:
    return TagChange("1.0", digest, at(minute), by)


def found(digest: str, minute: float, old: str = "", pk: int = 1) -> Timeline:
    """A tag that a check found, so without a name."""
    return Timeline(TagState(digest, at(minute)), [Move(at(minute), old, digest, how="found", pk=pk)])


def story(timeline: Timeline) -> list[tuple[str, str, str]]:
    return [(move.old, move.new, move.by) for move in timeline.moves]


def test_pushes_of_one_batch_follow_each_other() -> None:
    timeline = Timeline()
    assert [timeline.record(change(digest, n, digest)) for n, digest in enumerate("abca")] == [False] * 4
    assert story(timeline) == [("", "a", "a"), ("a", "b", "b"), ("b", "c", "c"), ("c", "a", "a")]
    assert timeline.tag == TagState("a", at(3), "a")
    assert timeline.tag_moved
    assert timeline.held == {"a", "b", "c"}
    assert timeline.first_seen_at == at(0)


def test_one_that_comes_late_has_its_place_and_moves_no_tag() -> None:
    timeline = Timeline()
    for minute, digest in ((1, "a"), (9, "c")):
        timeline.record(change(digest, minute))
    assert timeline.record(change("b", 5))  # whether it is still held is to be asked
    assert story(timeline) == [("", "a", "ci"), ("a", "b", "ci"), ("b", "c", "ci")]
    assert timeline.tag == TagState("c", at(9), "ci")
    assert timeline.was_held == {"b"}


def test_the_same_again_changes_nothing() -> None:
    timeline = found("a", 1)
    timeline.tag_moved = False
    assert timeline.record(change("a", 1))
    assert story(timeline) == [("", "a", "")]


def test_what_was_found_before_the_event_came_gets_its_name_and_its_time() -> None:
    timeline = found("b", 5, "x", pk=2)
    timeline.moves.insert(0, Move(at(0), "", "a", "ci", pk=1))
    assert not timeline.record(change("b", 3))
    assert timeline.moves[1] == Move(at(3), "a", "b", "ci", pk=2, changed=True)
    assert timeline.tag == TagState("b", at(3), "ci")
    assert timeline.tag_redated
    assert not timeline.tag_moved


def test_a_clock_a_little_ahead_names_who_did_it_and_keeps_the_moment() -> None:
    timeline = found("a", 1)
    assert not timeline.record(change("a", 1.5))
    assert timeline.moves == [Move(at(1), "", "a", "ci", pk=1, changed=True)]


def test_the_same_digest_much_later_is_no_move() -> None:
    timeline = found("a", 1)
    assert not timeline.record(change("a", 9))
    assert story(timeline) == [("", "a", "")]


def test_a_name_is_not_replaced_and_none_adds_nothing() -> None:
    timeline = Timeline()
    timeline.record(change("a", 1, "first"))
    timeline.record(change("a", 1.2, "second"))
    assert story(timeline) == [("", "a", "first")]
    nameless = found("a", 1)
    nameless.record(change("a", 1.2, by=""))
    assert not nameless.moves[0].changed


def test_an_older_move_is_named_without_touching_the_tag() -> None:
    timeline = found("a", 5)
    timeline.moves.append(Move(at(7), "a", "b", "ci", pk=2))
    timeline.tag = TagState("b", at(7), "ci")
    timeline.record(change("a", 3))
    assert timeline.moves[0] == Move(at(3), "", "a", "ci", pk=1, changed=True)
    assert not timeline.tag_redated


def test_a_deletion_is_written_and_takes_nothing_away() -> None:
    timeline = found("a", 1)
    assert not timeline.record(change("", 5))
    assert story(timeline) == [("", "a", ""), ("a", "", "ci")]
    assert timeline.tag == TagState("a", at(1))
    assert not Timeline().record(change("", 5))


def test_one_that_went_and_came_again_is_pushed_anew() -> None:
    timeline = found("a", 1)
    timeline.record(change("", 5))
    assert timeline.record(change("a", 7))
    assert timeline.tag == TagState("a", at(7), "ci")
    assert timeline.tag_redated


def test_what_is_not_stored_stays_in_the_history() -> None:
    timeline = found("a", 1)
    assert not timeline.record(change("b", 5), stored=False)
    assert story(timeline)[-1] == ("a", "b", "ci")
    assert timeline.tag == TagState("a", at(1))
    assert not timeline.was_held


def test_nothing_moves_a_tag_that_was_pushed_later_than_its_history_says() -> None:
    timeline = Timeline(TagState("a", at(9)))
    assert timeline.record(change("b", 5))
    assert timeline.tag == TagState("a", at(9))


CHANGES = st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.integers(0, 6)), max_size=8)


@given(CHANGES)
def test_each_move_begins_where_the_last_one_ended(told: list[tuple[str, int]]) -> None:
    timeline = Timeline()
    for digest, minute in told:
        timeline.record(change(digest, minute))
    moments = [move.at for move in timeline.moves]
    assert moments == sorted(moments)
    for before, after in zip(timeline.moves, timeline.moves[1:], strict=False):
        assert after.old == before.new
