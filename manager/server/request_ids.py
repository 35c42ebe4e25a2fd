"""The id of each request, by which lines of the log are found: of a proxy in front and of the panel alike."""

import re
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from manager.server.environ import Environ, Scope
from manager.server.threads import Send, WsgiApplication

ENVIRON = "registry_manager.request_id"
# What proxies make: UUIDs, numbers in hexadecimal. Anything else could forge or fill the log.
_WELL_FORMED = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class _Current(threading.local):
    id = ""


current = _Current()  # what this thread is answering; "" for nothing, and where ids are not given


def give(scope: Scope, send: Send) -> tuple[str, Send]:
    """Return the id of the request and `send`, which says it in the answer.

    It is taken from `X-Request-ID` if that is there once and well-formed, else made. From the scope, because a request
    of which no environment can be made is answered too.
    """
    given = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-request-id"]
    kept = len(given) == 1 and _WELL_FORMED.fullmatch(given[0])
    request_id = given[0] if kept else secrets.token_hex(16)
    header = (b"x-request-id", request_id.encode())

    async def saying(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], header]}
        await send(message)

    return request_id, saying


def middleware(inner: WsgiApplication) -> WsgiApplication:
    """`inner`, whose lines of the log are of the request that it answers."""

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        current.id = environ.get(ENVIRON, "")
        try:
            return inner(environ, start_response)
        finally:
            current.id = ""

    return application
