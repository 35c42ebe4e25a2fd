"""The server of tokens alone: no page, no sign-in and no slow client can make a token wait.

A token is made where its request is read, on the event loop: it takes one statement and one signature, and handing
it to a thread and back would cost as much as either. So nothing else may run here.
"""

import asyncio
import gc
import os
from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import ParamSpec, TypeVar

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")
# Django refuses statements on an event loop, which would keep others waiting; here all wait for the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django

django.setup()

from django.conf import settings  # noqa: E402 (settings are read only now)
from django.db import Error, close_old_connections, connections  # noqa: E402 (models are ready only now)
from django.http import HttpResponse  # noqa: E402

from accounts.common.client_ip import client_network  # noqa: E402
from accounts.id_tokens import keys  # noqa: E402
from manager import health  # noqa: E402
from manager.server import request_ids  # noqa: E402
from manager.server.environ import Environ, Scope  # noqa: E402
from manager.server.front import Front, respond, say  # noqa: E402
from manager.server.key_waits import KeyWaits  # noqa: E402
from manager.server.metrics_door import door  # noqa: E402
from manager.server.threads import Send  # noqa: E402
from registry_sync.tokens import wsgi  # noqa: E402
from registry_sync.tokens.queries import BY_KEYS  # noqa: E402
from registry_sync.tokens.request import KEYS_COMING, MAX_BODY  # noqa: E402
from registry_sync.tokens.results import Answer, Respond  # noqa: E402
from registry_sync.tokens.throttle import PAUSE  # noqa: E402

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_WRONG = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})
# On an event loop Django keeps a database connection for each context, and each request has a context of its own.
_context = copy_context()


def _attempts(issuers: frozenset[int]) -> object:
    try:
        return _context.run(keys.attempts, issuers)
    except Error:
        return None


_waits = KeyWaits(_attempts)


async def _answer(environ: Environ, _scope: Scope, send: Send) -> None:
    if await door.answer(environ, send):
        return
    match environ["PATH_INFO"]:
        case path if answer := wsgi.DOORS.get(path):
            status, headers, body = _make(answer, environ)
            if (issuers := environ.get(KEYS_COMING)) and await _waits.wait(issuers, client_network(environ)):
                environ["wsgi.input"].seek(0)
                status, headers, body = _make(answer, environ)
            if status in _WRONG:
                await asyncio.sleep(PAUSE)
            await respond(send, status, [_encoded(header) for header in headers], body)
        case "/healthz" | "/readyz" as path:
            response = _logged(environ, health.healthz if path == "/healthz" else _readyz)
            await respond(
                send, response.status_code, [(b"content-type", b"application/json")], response.content
            )
        case _:
            await say(
                send, HTTPStatus.NOT_FOUND, "This server has only tokens, at /auth/token and /auth/exchange."
            )


def _make(answer: Respond, environ: Environ) -> Answer:
    return _logged(environ, answer, environ, now=datetime.now(UTC))


def _logged(
    environ: Environ,
    work: Callable[Arguments, Result],
    *arguments: Arguments.args,
    **options: Arguments.kwargs,
) -> Result:
    """Nothing else runs meanwhile, so that lines of the log are of this request."""
    request_ids.current.id = environ.get(request_ids.ENVIRON, "")
    try:
        return _context.run(work, *arguments, **options)
    finally:
        request_ids.current.id = ""


@lru_cache(64)  # nearly every answer has the same three
def _encoded(header: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = header
    return name.lower().encode(), value.encode()


def _readyz() -> HttpResponse:
    """As Django does before each request: a connection that died is opened anew."""
    close_old_connections()
    return health.readyz()


def _plan_by_keys() -> None:
    """For each connection of this process; a pooler would pass such options to nobody, so it is told none."""
    options = connections.settings["default"].get("OPTIONS", {})
    if "options" in options:
        options["options"] += "".join(f" -c {name}=off" for name in BY_KEYS)


_plan_by_keys()
gc.freeze()  # what stays for good is not looked through again, while tokens wait
wsgi.start_write_behind()
door.start()
application = Front(_answer, lambda _environ: MAX_BODY, gives_ids=settings.LOG_FORMAT == "json")
