"""What runs in each process of `make run`: forks of one that has loaded everything, whose memory they share."""

import gc
import importlib
from collections.abc import Callable

from django.conf import settings
from django.db import connections

from manager.standalone import process_group

LOOPBACK = "127.0.0.1"
# What a part would load by itself or at its first request. Not `manager.server.tokens`: it lets statements wait on the
# event loop, and that is for its own process.
PRELOADED = (
    "manager.urls",
    "manager.server.web",
    "manager.server.serving",
    "manager.standalone.worker",
    "manager.standalone.file_broker",
    "registry_sync.tasks",
    "celery.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.worker.consumer",
)


def preload() -> None:
    """Load it all, and keep nothing open that two processes must not share. No thread may have been started."""
    for name in PRELOADED:
        importlib.import_module(name)
    connections.close_all()
    gc.collect()
    gc.freeze()  # a collection would write to what is shared, and so copy it


def web() -> None:
    from manager.server.serving import serve  # noqa: PLC0415 (preloaded)

    serve("manager.server.web:application", LOOPBACK, settings.PORT)


def tokens() -> None:
    from manager.server.serving import serve  # noqa: PLC0415 (preloaded)

    serve("manager.server.tokens:application", LOOPBACK, settings.TOKEN_PORT)


def worker() -> None:
    from manager.standalone.worker import serve  # noqa: PLC0415 (preloaded)

    serve()


def program(argv: list[str], env: dict[str, str]) -> Callable[[], None]:
    """Return a part that is another program."""
    return lambda: process_group.become(argv, env)
