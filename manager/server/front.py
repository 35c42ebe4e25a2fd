"""What both servers share: a request's body is taken whole and within bounds; what is wrong with it is said."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from accounts.common.client_ip import client_network
from manager.server import bodies, request_ids
from manager.server.bodies import BrokenOff, Memory, Receive, Refused, TooLong
from manager.server.draining import draining
from manager.server.environ import BadRequest, Environ, Scope, environ_of, with_body
from manager.server.threads import Send

# The length in bytes that the body of this request may have.
Bound = Callable[[Environ], int]
Handler = Callable[[Environ, Scope, Send], Any]
_WITHOUT_BODY = frozenset({"GET", "HEAD"})


class Front:
    """An ASGI application around `handler`, which gets each request with its whole body.

    `gives_ids`: each request has an id, for the log, and its answer says which.
    """

    def __init__(self, handler: Handler, bound: Bound, *, gives_ids: bool = False) -> None:
        self._handler, self._bound, self._memory, self._gives_ids = handler, bound, Memory(), gives_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given: Environ = {}
        if self._gives_ids:
            given[request_ids.ENVIRON], send = request_ids.give(scope, send)
        try:
            environ = environ_of(scope)
            environ.update(given)
            if environ["REQUEST_METHOD"] in _WITHOUT_BODY or not _has_body(environ):
                await self._handler(with_body(environ, b""), scope, send)
            else:
                await self._with_body(environ, scope, receive, send)
        except BrokenOff:
            await say(send, HTTPStatus.BAD_REQUEST, "The request's body broke off.")
        except BadRequest as error:
            await say(send, HTTPStatus.BAD_REQUEST, str(error))
        except Refused as error:
            await say(send, error.status, error.message, retry_after=error.retry_after)

    async def _with_body(self, environ: Environ, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body and answer. One too long is not read: the application sees its length, and says so itself."""
        length = environ.get("CONTENT_LENGTH")
        announced = int(length) if length else None
        with self._memory.share(client_network(environ)) as take:
            try:
                body = await bodies.read(receive, most=self._bound(environ), announced=announced, take=take)
            except TooLong as error:
                with_body(environ, b"", error.length)
            else:
                with_body(environ, body)
            await self._handler(environ, scope, send)


def _has_body(environ: Environ) -> bool:
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


async def say(send: Send, status: HTTPStatus, text: str, *, retry_after: int = 0) -> None:
    """Send a plain answer, for where there is no page to show."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    await respond(send, status, headers, f"{text}\n".encode())


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    start = {
        "type": "http.response.start",
        "status": int(status),
        "headers": [*headers, length, *draining.headers()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
