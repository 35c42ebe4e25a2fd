"""From an ASGI scope to a WSGI environment that holds what came with the request, and nothing else. PURE."""

import re
import sys
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from accounts.common.remember import remember_short

Scope = Mapping[str, Any]
Environ = dict[str, Any]

# WSGI turns "-" into "_", so `X_Forwarded_For` would become `X-Forwarded-For`, which proxies write and we believe.
_NAME = re.compile(rb"[a-z0-9-]+")
# An environment variable of the same name tells programs which proxy to use.
_DROPPED = frozenset({b"proxy"})
_WITHOUT_PREFIX = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class BadRequest(Exception):
    """The request contradicts itself; the message says how."""


def environ_of(scope: Scope) -> Environ:
    """Return the environment of PEP 3333 with an empty body. Raise BadRequest when the host is named twice."""
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
    return {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": str(client[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **_headers(scope["headers"]),
    }


def with_body(environ: Environ, body: bytes, length: int | None = None) -> Environ:
    """`environ` with this body. `length` is what was announced, when it was too long to be read."""
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body) if length is None else length)
    return environ


@remember_short(longest=64)
def _key(name: bytes) -> str:
    """Return what the environment calls this header; "" for one that has no place there."""
    if not _NAME.fullmatch(name) or name in _DROPPED:
        return ""
    return _WITHOUT_PREFIX.get(name) or f"HTTP_{name.decode().replace('-', '_').upper()}"


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.lower()
        key = _key(name)
        if not key:
            continue
        value = raw_value.decode("latin-1")
        if key not in variables:
            variables[key] = value
        elif name == b"host":
            raise BadRequest("The request names two hosts.")
        else:
            variables[key] += f"{'; ' if name == b'cookie' else ','}{value}"
    return variables
