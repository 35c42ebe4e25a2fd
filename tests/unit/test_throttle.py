"""Guessing is slowed for the one who guesses, and for nobody else."""

from hypothesis import given
from hypothesis import strategies as st

from accounts.common.password_throttle import FAILURES, NAMES, REMEMBERED, WINDOW, PasswordThrottle

HERE, THERE = "192.0.2.1", "192.0.2.2"
NOW = 1_000_000


def failures(
    throttle: PasswordThrottle, count: int, *, address: str = HERE, username: str = "ci", now: int = NOW
) -> list[int]:
    return [throttle.failed(address, username, now=now) for _ in range(count)]


def test_the_bound_is_passed_once_and_then_every_time() -> None:
    throttle = PasswordThrottle()
    assert failures(throttle, FAILURES) == [0] * FAILURES
    assert failures(throttle, 3) == [WINDOW] * 3


def test_others_are_not_slowed_by_it() -> None:
    """Neither somebody else at the same address, nor the same user from elsewhere: no way to lock anybody out."""
    throttle = PasswordThrottle()
    failures(throttle, FAILURES * 2)
    assert failures(throttle, 1, username="other") == [0]
    assert failures(throttle, 1, address=THERE) == [0]


@given(st.integers(0, WINDOW - 1))
def test_the_wait_is_what_is_left_of_the_window(later: int) -> None:
    throttle = PasswordThrottle()
    failures(throttle, FAILURES)
    assert failures(throttle, 1, now=NOW + later) == [WINDOW - later]
    assert failures(throttle, 1, now=NOW + WINDOW) == [0]


def test_a_longer_name_is_no_new_name() -> None:
    """Usernames have 12 letters, so what follows them is only there to be counted apart."""
    throttle = PasswordThrottle()
    found = [throttle.failed(HERE, f"wsbq5k5ysqyt{number}", now=NOW) for number in range(FAILURES + 1)]
    assert found[-1] == WINDOW


def test_a_whole_network_of_addresses_is_one_place() -> None:
    throttle = PasswordThrottle()
    found = [throttle.failed(f"2001:db8:1:2::{n:x}", "ci", now=NOW) for n in range(FAILURES + 1)]
    assert found[-1] == WINDOW
    assert throttle.failed("2001:db8:1:3::1", "ci", now=NOW) == 0


def test_what_is_remembered_is_bounded() -> None:
    throttle = PasswordThrottle()
    for number in range(REMEMBERED + 500):
        throttle.failed(f"198.51.{number // 250}.{number % 250}", "ci", now=NOW)
    assert len(throttle._failures) == REMEMBERED


def test_who_tries_10_000_names_makes_no_other_be_forgotten_and_is_slowed() -> None:
    throttle = PasswordThrottle()
    failures(throttle, FAILURES, address=THERE)
    found = [throttle.failed(HERE, f"{number:012}", now=NOW) for number in range(REMEMBERED + 500)]
    assert found == [0] * NAMES + [WINDOW] * (REMEMBERED + 500 - NAMES)
    assert failures(throttle, 1, address=THERE) == [WINDOW]
    assert throttle.failed(HERE, "another", now=NOW + WINDOW) == 0
