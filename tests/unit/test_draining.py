"""The end of a worker that is told to end before it can."""

import asyncio
import os
import signal

import pytest

from manager.server.draining import Draining


@pytest.mark.parametrize("told", [True, False])
def test_a_signal_while_a_worker_starts_is_heeded_once_it_has(told: bool) -> None:
    async def nothing() -> None:
        """No socket is looked for."""

    before, worker = signal.getsignal(signal.SIGTERM), Draining(nothing)

    async def start() -> bool:
        worker.on_signal()
        return worker.begun

    try:
        worker.remember_signal()
        if told:
            os.kill(os.getpid(), signal.SIGTERM)
        assert asyncio.run(start()) is told
    finally:
        signal.signal(signal.SIGTERM, before)
