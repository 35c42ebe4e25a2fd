"""What came of a request for a token, as metrics count it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from time import perf_counter
from typing import Any, Protocol

from accounts.common.counts import Durations
from registry_sync.tokens.request import KEYS_COMING

# In a WSGI environment: what came of the request, where a token was issued.
RESULT = "registry_manager.token_result"


class Result(StrEnum):
    GRANTED = "granted"  # all that was asked for
    PARTIAL = "partial"
    DENIED = "denied"  # nothing of it; the client got a token, as the protocol has it
    SIGNED_IN = "signed_in"  # nothing was asked for, as by `docker login`
    UNAUTHORIZED = "unauthorized"
    THROTTLED = "throttled"
    KEYS_COMING = "keys_coming"  # the issuer's key is fetched meanwhile; the client is to come again
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


_BY_STATUS = {401: Result.UNAUTHORIZED, 429: Result.THROTTLED, 503: Result.UNAVAILABLE}

token_seconds = Durations(
    "registry_manager_token_seconds",
    "Time from a request for a token until its answer was made.",
    label="result",
    values=[each.value for each in Result],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5),
)

Answer = tuple[int, list[tuple[str, str]], bytes]


class Respond(Protocol):
    def __call__(self, environ: dict[str, Any], *, now: datetime) -> Answer: ...


def measured(respond: Respond, clock: Callable[[], float] = perf_counter) -> Respond:
    """Return `respond`, which is timed; on the token path, so it must cost next to nothing."""

    def timed(environ: dict[str, Any], *, now: datetime) -> Answer:
        began = clock()
        answer = respond(environ, now=now)
        result = environ.get(RESULT) or _refusal(environ, answer[0])
        token_seconds.add(result, clock() - began)
        return answer

    return timed


def _refusal(environ: Mapping[str, Any], status: int) -> Result:
    return Result.KEYS_COMING if environ.get(KEYS_COMING) else _BY_STATUS.get(status, Result.INVALID)
