"""Granian, with the options that each of our servers has."""

import resource

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from manager.server.bodies import OVERHEAD

CONNECTIONS = 1024  # of one process; together with OVERHEAD the most that they can hold before a body is read


def serve(target: str, host: str, port: int, workers: int = 1) -> None:
    """Serve the ASGI application that `target` names, as MODULE:NAME, until a signal ends it."""
    _allow_connections()
    Server(
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
        workers_kill_timeout=3,
        log_level=LogLevels.warning,
    ).serve()


def _allow_connections() -> None:
    """As many as the system lets us have: shells often begin with 1,024."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
