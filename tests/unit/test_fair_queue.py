"""The line before the threads: in turns by address, with a share of it for each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from manager.server.bodies import Refused
from manager.server.fair_queue import Line


async def settle() -> None:
    for _each in range(5):
        await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(story(), 60))


def test_who_asks_a_lot_delays_itself() -> None:
    async def story() -> list[str]:
        line, served, over = Line(1), [], asyncio.Event()

        async def request(address: str) -> None:
            async with line.turn(address, "reads"):
                served.append(address)
                await over.wait()

        waiting = [asyncio.create_task(request("greedy")) for _each in range(50)]
        await settle()
        waiting.append(asyncio.create_task(request("other")))
        await settle()
        over.set()
        await asyncio.gather(*waiting)
        return served

    assert run(story).index("other") == 2


def test_a_crowd_that_signs_in_does_not_stand_before_a_page() -> None:
    async def story() -> list[str]:
        line, served, over = Line(1), [], asyncio.Event()

        async def request(address: str, kind: str) -> None:
            async with line.turn(address, kind):
                served.append(kind)
                await over.wait()

        waiting = [asyncio.create_task(request(str(number), "writes")) for number in range(50)]
        await settle()
        waiting += [asyncio.create_task(request("other", "reads")) for _each in range(5)]
        await settle()
        over.set()
        await asyncio.gather(*waiting)
        return served

    assert run(story)[:12] == ["writes", *(["writes", "reads"] * 5), "writes"]


def test_no_more_are_at_work_than_there_are_turns() -> None:
    async def story() -> int:
        line, working, most = Line(3), 0, 0

        async def request(number: int) -> None:
            nonlocal working, most
            async with line.turn(str(number % 7), "reads"):
                working += 1
                most = max(most, working)
                await asyncio.sleep(0)
                working -= 1

        await asyncio.gather(*(request(number) for number in range(100)))
        return most

    assert run(story) == 3


def test_a_line_that_one_has_filled_still_has_room_for_others() -> None:
    async def story() -> tuple[int, int]:
        line, over, refused = Line(1, waiting=30), asyncio.Event(), {"greedy": 0, "other": 0}

        async def request(address: str) -> None:
            try:
                async with line.turn(address, "reads"):
                    await over.wait()
            except Refused:
                refused[address] += 1

        waiting = [asyncio.create_task(request("greedy")) for _each in range(100)]
        await settle()
        waiting += [asyncio.create_task(request("other")) for _each in range(5)]
        await settle()
        over.set()
        await asyncio.gather(*waiting)
        return refused["greedy"], refused["other"]

    assert run(story) == (100 - 1 - 10, 0)


@pytest.mark.parametrize("given_up", [0, 1, 2])
def test_who_gives_up_leaves_its_place(given_up: int) -> None:
    async def story() -> list[int]:
        line, served, over = Line(1, waiting=9), [], asyncio.Event()

        async def request(number: int) -> None:
            async with line.turn(str(number), "reads"):
                served.append(number)
                await over.wait()

        waiting = [asyncio.create_task(request(number)) for number in range(4)]
        await settle()
        waiting[given_up].cancel()
        await settle()
        over.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        async with line.turn("last", "reads"):
            served.append(9)
        return served

    assert [each for each in run(story) if each != given_up] == [
        each for each in (0, 1, 2, 3, 9) if each != given_up
    ]


def test_a_turn_that_came_as_it_was_called_off_goes_to_the_next() -> None:
    async def story() -> list[str]:
        line, served, over = Line(1), [], asyncio.Event()

        async def request(address: str) -> None:
            async with line.turn(address, "reads"):
                served.append(address)
                await over.wait()
            gone.cancel()  # the turn is its own by now, and it has not run since

        first = asyncio.create_task(request("first"))
        await settle()
        gone, last = asyncio.create_task(request("gone")), asyncio.create_task(request("last"))
        await settle()
        over.set()
        await asyncio.gather(first, gone, last, return_exceptions=True)
        return served

    assert run(story) == ["first", "last"]
