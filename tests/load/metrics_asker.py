"""Run inside `manage.py shell`: prints the seconds that metrics add to a token, of a token, and of a scrape."""

import gc
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from manager.metrics import exposition, gauges
from manager.metrics.snapshots import Snapshots
from registry_sync.tokens.results import RESULT, Result, measured
from registry_sync.tokens.wsgi import respond

NOW = datetime.now(UTC)
query, authorization = sys.stdin.read().splitlines()


def least(work: Callable[[], object], *, batches: int, batch: int) -> float:
    """Return seconds of this thread, of the cheapest batch."""
    taken = []
    for _batch in range(batches):
        began = time.thread_time()
        for _time in range(batch):
            work()
        taken.append((time.thread_time() - began) / batch)
    return min(taken)


def nothing(environ: dict[str, Any], *, now: datetime) -> Any:
    environ[RESULT] = Result.GRANTED
    return 200, [], b""


def token() -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/auth/token",
        "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": authorization,
        "HTTP_USER_AGENT": "docker/27.5.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": BytesIO(),
    }
    status, _headers, _body = respond(environ, now=datetime.now(UTC))
    assert status == 200, status


gc.freeze()
counting, environ = measured(nothing), dict[str, Any]()
without = least(lambda: nothing(environ, now=NOW), batches=200, batch=1000)
counted = least(lambda: counting(environ, now=NOW), batches=200, batch=1000)
snapshots = Snapshots(None)
scrape = least(lambda: exposition.write(snapshots.totals(), gauges.collect()), batches=20, batch=1)
print(counted - without, least(token, batches=40, batch=12), scrape)
