"""What the token door is measured against: the same server with nothing, and with a bare signature, behind it."""

import os
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")

from registry_sync.tokens.signing import Signer

signer = Signer(Path(os.environ["DATA_DIR"]) / "secrets")
HEADERS = [("Content-Type", "text/plain")]
PAGE_SECONDS = float(os.environ.get("BARE_PAGE_SECONDS", "0"))


def ok(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [b"ok"]


def signed(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [_token().encode()]


async def signed_asgi(_scope: Any, _receive: Any, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _token().encode()})


def page(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Computes for as long as a page does."""
    began = time.thread_time()
    while time.thread_time() - began < PAGE_SECONDS:
        pass
    start_response("200 OK", HEADERS)
    return [b"page"]


def _token() -> str:
    now = int(time.time())
    return signer.sign(
        {"iss": "x", "sub": "x", "aud": "x", "exp": now + 300, "nbf": now, "iat": now, "access": []}
    )
