"""The end of a worker that is told to end before it can."""

import asyncio
import os
import signal

from manager.server.draining import LOOKS, Draining, until


def test_a_signal_between_the_servers_handler_and_ours_is_not_lost() -> None:
    """The server sets its own before the event loop runs, in which ours is set first of all."""
    lost = list[bool]()

    async def nothing() -> None:
        """No socket is looked for."""

    worker, loop = Draining(nothing), asyncio.new_event_loop()
    try:
        loop.call_soon(worker.on_signal)
        loop.add_signal_handler(signal.SIGTERM, lost.append, True)
        os.kill(os.getpid(), signal.SIGTERM)
        loop.run_until_complete(asyncio.wait_for(begun(worker), 60))
    finally:
        loop.close()
    assert not lost


def test_a_process_that_stood_still_has_time_left() -> None:
    """For longer than its clients had: it accepts them afterwards."""
    looks, moments = list[bool](), iter([0.0])

    def accepted() -> bool:
        looks.append(True)
        return len(looks) == LOOKS

    asyncio.run(until(accepted, 2, clock=lambda: next(moments, 1000.0)))
    assert len(looks) == LOOKS


async def begun(worker: Draining) -> None:
    while not worker.begun:
        await asyncio.sleep(0)
