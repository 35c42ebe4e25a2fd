"""Granian, with the options that each of our servers has."""

import asyncio
import importlib
import logging
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from manager.metrics.snapshots import FOLDER
from manager.server import early_signals
from manager.server.bodies import OVERHEAD
from manager.server.draining import LOOK, draining, is_listening
from manager.server.replacing import Server

# From SIGTERM on. Less than the ten seconds after which Docker and `make run` kill, and more than a client may have to
# wait: for the keys of an issuer (key_waits.LONGEST), after the seconds of draining.
KILL_SECONDS = 8
CONNECTIONS = 1024  # of one process; together with OVERHEAD the most that they can hold before a body is read
# Granian's own lines, in the format of ours.
_JSON_LINES = {
    "formatters": {name: {"()": "manager.log_format.JsonFormatter"} for name in ("generic", "access")}
}
log = logging.getLogger("_granian")  # the server's own, which is set up before ours


def serve(target: str, host: str, port: int, workers: int = 1, *, kill_seconds: int = KILL_SECONDS) -> None:
    """Serve the ASGI application that `target` names, as MODULE:NAME, until a signal ends it."""
    _allow_connections()
    server = Server(
        target,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,  # every proxy and registry speaks it; one protocol is one less to attack
        websockets=False,
        backlog=2 * CONNECTIONS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(max_buffer_size=OVERHEAD),
        # A worker that died is replaced; where there is only one, the end is seen and said instead.
        respawn_failed_workers=workers > 1,
        workers_kill_timeout=kill_seconds,
        log_level=LogLevels.warning,
        log_dictconfig=_JSON_LINES if os.environ.get("LOG_FORMAT") == "json" else None,
    )
    server.on_startup(early_signals.release)  # it has set its handlers by then
    early_signals.end_forks()
    with _folder_for_counts():
        try:
            server.serve(target_loader=_load)
        except SystemExit:
            # A signal to all processes at once may end a worker first, which Granian takes for a failure.
            if not server.interrupt_signal:
                raise


def _load(target: str, serving: Connection | None = None) -> Any:
    """Return the application, in the worker that will serve it, and once it does tell `serving`."""
    module, _colon, name = target.partition(":")
    try:
        application = getattr(importlib.import_module(module), name)
    except ImproperlyConfigured as error:
        log.critical("%s", error)
        sys.exit(1)
    except Exception:
        log.critical("it cannot start", exc_info=True)
        sys.exit(1)
    asyncio.get_event_loop().call_soon(_begin, serving)
    return application


def _begin(serving: Connection | None) -> None:
    """In the event loop, once the server has set its own handlers of signals."""
    draining.on_signal()
    if serving:
        _tell(serving)


def _tell(serving: Connection) -> None:
    if is_listening():
        serving.send_bytes(b"serves")
        serving.close()
    else:
        asyncio.get_running_loop().call_later(LOOK, _tell, serving)


@contextmanager
def _folder_for_counts() -> Iterator[None]:
    """Make an empty folder in which the processes of this server, and no other's, keep what they counted.

    Where there is no place for one, each process tells of itself.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            os.environ[FOLDER] = stack.enter_context(TemporaryDirectory(prefix="registry-manager-counts-"))
        yield


def _allow_connections() -> None:
    """As many as the system lets us have: shells often begin with 1,024."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
