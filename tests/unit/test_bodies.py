"""Bodies: whole or not at all, within a bound of size, time and memory, of which each address has its share."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager.server.bodies import MEMORY, OVERHEAD, BrokenOff, Memory, Receive, Refused, TooLong, read

PARTS = st.lists(st.binary(max_size=20), min_size=1, max_size=8)


def receive(*messages: dict[str, Any]) -> Receive:
    """Afterwards nothing more comes."""
    left = list(messages)

    async def next_one() -> dict[str, Any]:
        if left:
            return left.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return next_one


def parts(*sent: bytes, whole: bool = True) -> list[dict[str, Any]]:
    last = len(sent) - 1 if whole else len(sent)
    return [{"type": "http.request", "body": part, "more_body": n < last} for n, part in enumerate(sent)]


def take(_size: int) -> None:
    pass


def get(
    *messages: dict[str, Any], most: int = 100, announced: int | None = None, seconds: float = 60
) -> bytes:
    return asyncio.run(read(receive(*messages), most=most, announced=announced, take=take, seconds=seconds))


@given(PARTS)
def test_a_body_comes_whole_however_it_was_cut(sent: list[bytes]) -> None:
    body = b"".join(sent)
    if len(body) <= 100:
        assert get(*parts(*sent), announced=len(body)) == body
    else:
        with pytest.raises(TooLong):
            get(*parts(*sent))


def test_what_is_announced_too_long_is_not_waited_for() -> None:
    with pytest.raises(TooLong) as refused:
        get(announced=101)
    assert refused.value.length == 101
    assert get(*parts(b"a" * 100), announced=100) == b"a" * 100


def test_a_chunked_one_is_stopped_at_the_bound() -> None:
    with pytest.raises(TooLong):
        get(*parts(b"a" * 60, b"b" * 41, whole=False))


def test_one_that_breaks_off_is_none() -> None:
    with pytest.raises(BrokenOff):
        get(*parts(b"abc", whole=False), {"type": "http.disconnect"}, announced=10)


@pytest.mark.parametrize("sent", [(), (b"a",), (b"a", b"b")], ids=["withheld", "begun", "dripping"])
def test_one_that_does_not_come_in_time_is_refused(sent: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused) as refused:
        get(*parts(*sent, whole=False), announced=10, seconds=0.01)
    assert refused.value.status is HTTPStatus.REQUEST_TIMEOUT


def test_what_waits_counts_before_it_has_sent_anything() -> None:
    taken: list[int] = []
    asyncio.run(read(receive(*parts(b"abc")), most=10, announced=3, take=taken.append))
    assert taken == [OVERHEAD, 3]


def fill(take: Callable[[int], None]) -> int:
    """Takes until it is refused; returns how often it was not."""
    for taken in range(5000):
        try:
            take(OVERHEAD)
        except Refused as refused:
            assert (refused.status, refused.retry_after > 0) == (HTTPStatus.SERVICE_UNAVAILABLE, True)  # noqa: PT017
            return taken
    raise AssertionError("never refused")


def test_after_ten_that_are_greedy_the_next_one_has_room_for_a_form() -> None:
    memory = Memory()
    with ExitStack() as held:
        taken = [fill(held.enter_context(memory.share(f"192.0.2.{number}"))) for number in range(10)]
        assert taken == sorted(taken, reverse=True)
        with memory.share("198.51.100.1") as take_some:
            take_some(OVERHEAD)
            take_some(256 * 1024)
    assert memory.free == MEMORY


def test_one_address_alone_has_a_third_and_its_requests_share_it() -> None:
    memory = Memory(300)
    with memory.share("a") as one, memory.share("a") as two:
        one(60)
        two(40)
        with pytest.raises(Refused):
            two(1)
        with memory.share("b") as other:
            other(50)
    with memory.share("a") as again:
        again(100)
    assert memory.free == 300
