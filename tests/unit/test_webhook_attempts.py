from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.webhooks.attempts import (
    ATTEMPTS_MAX,
    JITTER,
    RETRY_AFTER,
    Next,
    Verdict,
    judge,
    status_problem,
)

SECONDS = [5, 30, 300, 3600, 6 * 3600]


@pytest.mark.parametrize(
    ("status", "attempts", "verdict"),
    [
        (200, 1, Verdict.DELIVERED), (204, ATTEMPTS_MAX, Verdict.DELIVERED), (299, 1, Verdict.DELIVERED),
        (None, 1, Verdict.RETRY), (301, 1, Verdict.RETRY), (400, 1, Verdict.RETRY), (503, 5, Verdict.RETRY),
        (410, 1, Verdict.GONE), (410, ATTEMPTS_MAX, Verdict.GONE),
        (500, ATTEMPTS_MAX, Verdict.GIVE_UP), (None, ATTEMPTS_MAX + 1, Verdict.GIVE_UP),
    ],
)  # fmt: skip
def test_what_an_attempt_means(status: int | None, attempts: int, verdict: Verdict) -> None:
    assert judge(status, attempts, test=False, chance=0.5).verdict is verdict


@pytest.mark.parametrize("status", [None, 301, 400, 410, 500])
def test_a_test_is_tried_once_and_says_nothing_of_other_messages(status: int | None) -> None:
    assert judge(status, 1, test=True, chance=0.5) == Next(Verdict.GIVE_UP)
    assert judge(200, 1, test=True, chance=0.5) == Next(Verdict.DELIVERED)


def test_it_is_tried_again_from_seconds_to_hours_later() -> None:
    waits = [judge(500, n + 1, test=False, chance=0.5).wait for n in range(len(RETRY_AFTER))]
    assert waits == [timedelta(seconds=each) for each in SECONDS]


@given(st.integers(1, len(SECONDS)), st.floats(0, 1))
def test_not_all_come_at_once(attempts: int, chance: float) -> None:
    wait = judge(None, attempts, test=False, chance=chance).wait
    assert wait
    assert abs(wait / timedelta(seconds=SECONDS[attempts - 1]) - 1) <= JITTER + 1e-6


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, ""),
        (302, "redirects"),
        (410, "410 Gone"),
        (404, "answered 404"),
        (500, "answered 500"),
        (100, "100"),
    ],
)
def test_what_a_status_means_in_words(status: int, words: str) -> None:
    assert words in status_problem(status)
    assert bool(status_problem(status)) is bool(words)
