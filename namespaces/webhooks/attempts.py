"""What an attempt to deliver means, and when the next one is. PURE."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus

from accounts.common.lazy_text import lazy as _

# After the first attempt, the second, and so on.
RETRY_AFTER = tuple(
    timedelta(**each)
    for each in ({"seconds": 5}, {"seconds": 30}, {"minutes": 5}, {"hours": 1}, {"hours": 6})
)
ATTEMPTS_MAX = len(RETRY_AFTER) + 1
JITTER = 0.2  # so much earlier or later, at most: receivers that come back do not meet all of it at once


class Verdict(Enum):
    DELIVERED = auto()
    RETRY = auto()
    GIVE_UP = auto()
    GONE = auto()  # the receiver wants nothing more, ever


@dataclass(frozen=True, slots=True)
class Next:
    """`wait` until the next attempt; None where there is none."""

    verdict: Verdict
    wait: timedelta | None = None


def is_success(status: int | None) -> bool:
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def judge(status: int | None, attempts: int, *, test: bool, chance: float) -> Next:
    """`status`: of the answer, None for none; `attempts`: that count, with this one; `chance`: from 0 to 1.

    A test is tried once, and whatever comes of it says nothing of other messages.
    """
    if is_success(status):
        return Next(Verdict.DELIVERED)
    if test:
        return Next(Verdict.GIVE_UP)
    if status == HTTPStatus.GONE:
        return Next(Verdict.GONE)
    if attempts >= ATTEMPTS_MAX:
        return Next(Verdict.GIVE_UP)
    wait = RETRY_AFTER[attempts - 1]
    return Next(Verdict.RETRY, wait * (1 - JITTER + 2 * JITTER * chance))


def status_problem(status: int) -> str:
    """Return what an answer that is no success means; "" for success."""
    if is_success(status):
        return ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _("The receiver redirects (%(status)s), which is not followed.", status=str(status))
    if status == HTTPStatus.GONE:
        return _("The receiver answered 410 Gone: it wants nothing more.")
    return _("The receiver answered %(status)s.", status=str(status))
