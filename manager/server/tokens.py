"""The server of tokens alone: no page, no sign-in and no slow client can make a token wait.

A token is made where its request is read, on the event loop: it takes one statement and one signature, and handing
it to a thread and back would cost as much as either. So nothing else may run here.
"""

import asyncio
import gc
import os
from contextvars import copy_context
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")
# Django refuses statements on an event loop, which would keep others waiting; here all wait for the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django

django.setup()

from django.db import close_old_connections, connections  # noqa: E402 (models are ready only now)
from django.http import HttpResponse  # noqa: E402

from manager import health  # noqa: E402
from manager.server.environ import Environ, Scope  # noqa: E402
from manager.server.front import Front, respond, say  # noqa: E402
from manager.server.threads import Send  # noqa: E402
from registry_sync.tokens import wsgi  # noqa: E402
from registry_sync.tokens.queries import BY_KEYS  # noqa: E402
from registry_sync.tokens.request import MAX_BODY  # noqa: E402
from registry_sync.tokens.throttle import PAUSE  # noqa: E402

_WRONG = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})
# On an event loop Django keeps a database connection for each context, and each request has a context of its own.
_context = copy_context()


async def _answer(environ: Environ, _scope: Scope, send: Send) -> None:
    match environ["PATH_INFO"]:
        case wsgi.PATH:
            status, headers, body = _context.run(wsgi.respond, environ, now=datetime.now(UTC))
            if status in _WRONG:
                await asyncio.sleep(PAUSE)
            await respond(send, status, [_encoded(header) for header in headers], body)
        case "/healthz" | "/readyz" as path:
            response = _context.run(health.healthz if path == "/healthz" else _readyz)
            await respond(
                send, response.status_code, [(b"content-type", b"application/json")], response.content
            )
        case _:
            await say(send, HTTPStatus.NOT_FOUND, "This server has only tokens, at /auth/token.")


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
application = Front(_answer, lambda _environ: MAX_BODY)
