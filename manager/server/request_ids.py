"""The id of each request, by which lines of the log are found: of a proxy in front and of the panel alike."""

import re
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from manager.server.environ import Environ
from manager.server.threads import Send, WsgiApplication

ENVIRON = "registry_manager.request_id"
# What proxies make: UUIDs, numbers in hexadecimal. Anything else could forge or fill the log.
_WELL_FORMED = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class _Current(threading.local):
    id = ""


current = _Current()  # what this thread is answering; "" for nothing, and where ids are not given


def give(environ: Environ, send: Send) -> Send:
    """Give the request its own id from `X-Request-ID` if that is well-formed, else a new one.

    Return `send`, which says it in the answer.
    """
    given = environ.get("HTTP_X_REQUEST_ID", "")
    name = given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)
    environ[ENVIRON] = name
    header = (b"x-request-id", name.encode())

    async def saying(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], header]}
        await send(message)

    return saying


def middleware(inner: WsgiApplication) -> WsgiApplication:
    """`inner`, whose lines of the log are of the request that it answers."""

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        current.id = environ.get(ENVIRON, "")
        try:
            return inner(environ, start_response)
        finally:
            current.id = ""

    return application
