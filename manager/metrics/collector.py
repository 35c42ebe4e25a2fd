"""Asks the database for its gauges in a thread of its own, so that no scrape waits for one that is dead."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import Error, close_old_connections, connections

from accounts.common.database_errors import first_line
from manager.metrics.gauge import Gauge

PATIENCE = 5.0  # seconds: half of what Prometheus waits for a scrape, and more than a busy database takes

log = logging.getLogger(__name__)


class Collector:
    """`collect` returns the gauges, or raises a database error. One runs at a time, for whoever waits."""

    def __init__(self, collect: Callable[[], list[Gauge]], *, patience: float = PATIENCE) -> None:
        self._collect, self._patience = collect, patience
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="gauges")
        self._running: Future[list[Gauge] | None] | None = None
        self._late = False

    async def gauges(self) -> list[Gauge] | None:
        """Return them; None where the database fails, or does not answer in time.

        Of one that did not answer in time nothing is waited for, until it has answered.
        """
        if self._running is None or self._running.done():
            self._running, self._late = self._pool.submit(self._ask), False
        elif self._late:
            return None
        done, _pending = await asyncio.wait([asyncio.wrap_future(self._running)], timeout=self._patience)
        self._late = not done
        return self._running.result() if done else None

    def _ask(self) -> list[Gauge] | None:
        close_old_connections()
        try:
            return self._collect()
        except Error as error:
            log.warning("metrics: the database fails (%s)", first_line(error))
            return None
        finally:
            connections.close_all()  # of this thread: no replica keeps one for a question now and then
