"""Gauges are asked in a thread of their own: one question at a time, and nobody waits for a database that is dead."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from django.db import InterfaceError

from manager.metrics.collector import Collector
from manager.metrics.gauge import Gauge, one

GAUGES = [one("x", "X.", 1)]


class Database:
    """One that answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.lets = 0, Event()

    def collect(self) -> list[Gauge]:
        self.asked += 1
        self.lets.wait()
        return GAUGES


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.lets.set()


def test_it_answers() -> None:
    assert asyncio.run(Collector(lambda: GAUGES).gauges()) == GAUGES


def test_a_database_that_fails_is_asked_again() -> None:
    answers = iter([InterfaceError("gone"), None])

    def collect() -> list[Gauge]:
        if error := next(answers):
            raise error
        return GAUGES

    collector = Collector(collect)
    assert asyncio.run(collector.gauges()) is None
    assert asyncio.run(collector.gauges()) == GAUGES


def test_a_database_that_hangs_is_not_waited_for(database: Database) -> None:
    collector = Collector(database.collect, patience=0)
    for _scrape in range(3):
        assert asyncio.run(collector.gauges()) is None
    assert database.asked <= 1  # nor is it asked once more for each


def test_after_it_answered_it_is_asked_anew(database: Database) -> None:
    collector = Collector(database.collect, patience=0)
    assert asyncio.run(collector.gauges()) is None
    database.lets.set()
    running: Any = collector._running
    running.result()
    collector._patience = 60
    assert asyncio.run(collector.gauges()) == GAUGES
    assert database.asked == 2


def test_who_comes_meanwhile_after_a_late_answer_waits_too(database: Database) -> None:
    collector = Collector(database.collect, patience=0)
    assert asyncio.run(collector.gauges()) is None
    database.lets.set()
    running: Any = collector._running
    running.result()
    database.lets.clear()
    collector._patience = 60
    assert asyncio.run(_together(collector, database)) == [GAUGES] * 3


def test_who_comes_meanwhile_gets_the_same_answer(database: Database) -> None:
    collector = Collector(database.collect, patience=60)
    assert asyncio.run(_together(collector, database)) == [GAUGES] * 3
    assert database.asked == 1


async def _together(collector: Collector, database: Database) -> list[Any]:
    asked = [asyncio.ensure_future(collector.gauges()) for _each in range(3)]
    await asyncio.sleep(0)
    database.lets.set()
    return await asyncio.gather(*asked)
