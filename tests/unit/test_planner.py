"""Any two inventories: the plan leads from ours to the registry's, and takes nothing away at first sight."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from registry_sync.reconcile.planner import Plan, StoredState, make_plan

NAMES = st.sampled_from("abcdefgh")
DIGESTS = st.sampled_from(["", "sha256:1", "sha256:2", "sha256:3"])
HAVE = st.dictionaries(NAMES, st.builds(StoredState, DIGESTS, st.booleans(), st.just(False)))
SEE = st.dictionaries(NAMES, DIGESTS)
Inventory = Mapping[str, StoredState]


def apply(have: Inventory, see: Mapping[str, str], changes: Plan) -> dict[str, StoredState]:
    """What the database does with a plan, in memory and in the same order."""
    inventory = dict(have) | {name: StoredState(see[name]) for name in changes.add}
    for name in changes.move:
        inventory[name] = StoredState(see[name])
    for name in changes.mark:
        inventory[name] = inventory[name]._replace(missing=True)
    for name in changes.unmark:
        inventory[name] = inventory[name]._replace(missing=False)
    for name in changes.remove:
        del inventory[name]
    return inventory


@given(HAVE, SEE)
def test_two_complete_answers_lead_to_exactly_what_was_seen(have: Inventory, see: Mapping[str, str]) -> None:
    once = apply(have, see, make_plan(have, see))
    twice = apply(once, see, make_plan(once, see))
    assert twice == {name: StoredState(digest) for name, digest in see.items()}
    assert not make_plan(twice, see)


@given(HAVE, SEE)
def test_what_is_seen_is_right_after_the_first_answer(have: Inventory, see: Mapping[str, str]) -> None:
    once = apply(have, see, make_plan(have, see))
    assert {name: row for name, row in once.items() if not row.missing} == {
        n: StoredState(d) for n, d in see.items()
    }


@given(HAVE, SEE)
def test_nothing_goes_the_first_time_it_is_missing(have: Inventory, see: Mapping[str, str]) -> None:
    changes = make_plan(have, see)
    assert all(have[name].missing for name in changes.remove)
    assert not set(changes.remove) & set(see)


@given(HAVE, SEE)
def test_what_comes_back_in_time_is_as_before(have: Inventory, see: Mapping[str, str]) -> None:
    """An empty answer between two good ones costs nothing: no row is made anew."""
    settled = {name: StoredState(digest) for name, digest in see.items()}
    emptied = apply(settled, {}, make_plan(settled, {}))
    back = make_plan(emptied, see)
    assert (back.add, back.move, back.remove) == ([], [], [])
    assert apply(emptied, see, back) == settled


@given(HAVE, SEE, st.sets(NAMES))
def test_what_could_not_be_read_keeps_its_digest_and_stays(
    have: Inventory, see: Mapping[str, str], unreadable: set[str]
) -> None:
    """Its name was in the list, so it is there; what it points at is not known, so that stays."""
    seen = {name: digest for name, digest in see.items() if name not in unreadable}
    changes = make_plan(have, seen, unreadable=unreadable)
    after = apply(have, seen, changes)
    for name in unreadable:
        assert (name in after) is (name in have)
        assert name not in changes.mark + changes.remove
        if name in have:
            assert after[name] == StoredState(have[name].digest)


@given(HAVE, SEE, st.sets(NAMES))
def test_a_plan_names_everything_once_and_nothing_unknown(
    have: Inventory, see: Mapping[str, str], unreadable: set[str]
) -> None:
    changes = make_plan(have, see, unreadable=unreadable)
    rows = [changes.add, changes.move, changes.mark, changes.remove]
    flat = [name for names in rows for name in names]
    assert len(flat) == len(set(flat))
    assert set(changes.add) <= set(see) - set(have)
    assert set(changes.move + changes.mark + changes.unmark + changes.remove) <= set(have)
    assert len(changes) == len(flat) + len(changes.unmark)


@given(SEE)
def test_an_unchanged_registry_plans_nothing(see: Mapping[str, str]) -> None:
    assert len(make_plan({name: StoredState(digest) for name, digest in see.items()}, see)) == 0


@given(HAVE, SEE, st.sets(NAMES))
def test_what_is_nobodys_to_change_now_is_in_no_list(
    have: Inventory, see: Mapping[str, str], held: set[str]
) -> None:
    whole = make_plan(have, see)
    left = whole.without(held)
    for key in ("add", "move", "mark", "unmark", "remove"):
        assert getattr(left, key) == [name for name in getattr(whole, key) if name not in held]


@given(HAVE, SEE, st.sets(NAMES))
def test_a_plan_that_only_adds_or_is_held_takes_nothing_away(
    have: Inventory, see: Mapping[str, str], gone: set[str]
) -> None:
    whole = make_plan(have, see, gone=gone)
    adding, held = whole.ignoring_absence(), whole.marking_instead_of_removing(have)
    assert (adding.add, adding.move, adding.unmark) == (whole.add, whole.move, whole.unmark)
    assert adding.mark == adding.remove == held.remove == []
    assert set(held.mark) == {name for name in have if name not in see and not have[name].missing}


@given(HAVE, SEE, st.sets(NAMES))
def test_a_second_answer_takes_away_at_once(have: Inventory, see: Mapping[str, str], gone: set[str]) -> None:
    changes = make_plan(have, see, gone=gone)
    assert {name for name in gone & set(have) if name not in see} <= set(changes.remove)
