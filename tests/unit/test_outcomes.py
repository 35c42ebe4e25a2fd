"""How an item of a removal ended, in whole sentences that each reader gets in their own language."""

from collections import Counter

import pytest

from accounts.common.lazy_text import LazyText
from registry_sync.deletion.outcomes import (
    IN_SHORT,
    SENTENCES,
    UNANSWERED,
    Outcome,
    Stopped,
    in_short,
    sentence,
    undecided,
)


def test_every_outcome_has_its_sentence_and_what_was_not_done_its_reason() -> None:
    assert SENTENCES.keys() == set(Outcome)
    assert IN_SHORT.keys() == set(Outcome) - {Outcome.DONE, Outcome.ALREADY_GONE, Outcome.MANIFEST_LOST}
    assert {sentence(each, started=False) for each in Outcome} == {*SENTENCES.values()}


@pytest.mark.parametrize("started", [False, True])
def test_what_has_no_outcome_has_no_sentence(started: bool) -> None:
    assert sentence("", started=started) == ""


@pytest.mark.parametrize("outcome", Outcome)
def test_what_the_registry_was_asked_for_is_not_called_undone(outcome: Outcome) -> None:
    unsure = "never confirmed" in sentence(outcome, started=True)
    assert unsure is (outcome in UNANSWERED)


def test_reasons_are_named_once_each_and_none_for_what_has_none() -> None:
    found = in_short(Counter({"read_only": 2, "in_use": 1, "": 3}))
    assert found == "something else needs it, the registry is read-only"
    assert isinstance(found, LazyText)
    assert in_short(Counter({"": 1})) == ""


@pytest.mark.parametrize(("attempts", "written"), [(1, "in 1 attempt;"), (5, "in 5 attempts;")])
def test_attempts_are_counted(attempts: int, written: str) -> None:
    assert written in undecided(attempts)


def test_what_stopped_it_is_kept_beside_the_outcome() -> None:
    stopped = Stopped(Outcome.IN_USE, "1.0")
    assert (stopped.outcome, stopped.detail) == (Outcome.IN_USE, "1.0")
