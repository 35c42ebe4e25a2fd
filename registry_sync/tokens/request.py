"""What a client asks of the token door, read from a WSGI environment. PURE but for reading the body.

What clients send was found by running them: docker and skopeo GET with Basic, containerd and buildkit POST a
password form first and fall back to GET on 400 or 401, but die on 403 and 500.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

from accounts.id_tokens.verification import LONGEST

# Of a form: more than all that scope.py looks at, were each character an escape of three. The server bounds a query.
MAX_BODY = 256 * 1024
# Of what stands in for a password: an ID token. The same by GET and by POST, and what every proxy before us must carry.
MAX_PASSWORD = LONGEST
_MAX_USERNAME = 256
MAX_BASIC = (MAX_PASSWORD + _MAX_USERNAME) * 4 // 3  # characters: base64 makes four of three
# In an environment, after the answer: the `keys_coming` of a TokenError, for a server that can wait for them.
KEYS_COMING = "registry_manager.keys_coming"
_NAMES = frozenset({"service", "scope", "grant_type", "username", "password"})
_LENGTHS = frozenset(map(len, _NAMES))
# All that clients escape in what they send here.
_ESCAPES = (("%3A", ":"), ("%2F", "/"), ("%2C", ","), ("+", " "))
_SIGNATURE = re.compile(r"[A-Za-z0-9+/=]{1,1000}:[A-Za-z0-9+/=]{1,1000}")


class TokenError(Exception):
    """The answer is no: an HTTP status, a registry error code, a sentence that clients print.

    `keys_coming`: the ids of the issuers whose keys are being fetched, so that the answer may soon be another.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: int = 0,
        keys_coming: frozenset[int] = frozenset(),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after
        self.keys_coming = keys_coming


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str

    def __repr__(self) -> str:  # the password must not reach a log through a traceback
        return f"Credentials(username={self.username!r})"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    services: frozenset[str]
    scopes: tuple[str, ...]
    credentials: Credentials | None  # None: anonymous
    oauth: bool  # asked by POST; the answer then names the scope


def parse_request(environ: Mapping[str, Any]) -> TokenRequest:
    """Read the request. Raise TokenError with 400, 401 or 405."""
    method = environ.get("REQUEST_METHOD", "GET")
    if method in ("GET", "HEAD"):
        return _read_get(environ)
    if method == "POST":
        return _read_post(environ)
    raise TokenError(405, "UNSUPPORTED", "The token endpoint takes GET and POST.")


def _read_get(environ: Mapping[str, Any]) -> TokenRequest:
    fields = _fields(str(environ.get("QUERY_STRING", "")))
    return TokenRequest(
        services=frozenset(fields.get("service", [])),
        scopes=tuple(fields.get("scope", [])),
        credentials=read_basic(str(environ.get("HTTP_AUTHORIZATION", ""))),
        oauth=False,
    )


def _read_post(environ: Mapping[str, Any]) -> TokenRequest:
    body = environ["wsgi.input"].read(MAX_BODY + 1)
    if max(len(body), int(environ.get("CONTENT_LENGTH") or 0)) > MAX_BODY:
        raise TokenError(400, "UNSUPPORTED", "The form is too long.")
    fields = _fields(body.decode("utf-8", "replace"))
    if fields.get("grant_type") != ["password"]:
        # 400 makes containerd and buildkit try again with GET.
        raise TokenError(
            400, "UNSUPPORTED", "Only grant_type=password is supported; there are no refresh tokens."
        )
    username, password = fields.get("username", [""])[0], fields.get("password", [""])[0]
    return TokenRequest(
        services=frozenset(fields.get("service", [])),
        scopes=tuple(fields.get("scope", [])),
        credentials=_bounded(username, password),
        oauth=True,
    )


def _fields(text: str) -> dict[str, list[str]]:
    """Return the fields that mean something here, as parse_qs would read them; others cost next to nothing.

    No count of them is too high: most clients sort them, and `service` comes after a thousand scopes.
    """
    plain = text
    for escape, character in _ESCAPES:
        plain = plain.replace(escape, character)
    return _general_fields(text) if "%" in plain else _plain_fields(plain)


def _plain_fields(text: str) -> dict[str, list[str]]:
    """Of a text without escapes."""
    found: dict[str, list[str]] = {}
    for field in text.split("&"):
        name, _equals, value = field.partition("=")
        if name in _NAMES:
            found.setdefault(name, []).append(value)
    return found


def _general_fields(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field in filter(None, text.split("&")):
        name, _equals, value = field.partition("=")
        # Nobody escapes these names; read is only what may be one, as an escape is three characters for one.
        if "%" in name and len(name) - 2 * name.count("%") in _LENGTHS:
            name = unquote(name)
        if name in _NAMES:
            found.setdefault(name, []).append(unquote_plus(value))
    return found


def read_basic(header: str) -> Credentials | None:
    """Return name and password; None without the header, and for the empty ones that some clients send for anonymous.

    None also for Ollama, which sends a signature of its own key here, and never a password.
    """
    if not header or _SIGNATURE.fullmatch(header):
        return None
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise TokenError(401, "UNAUTHORIZED", "Sign in with the user's name and password.")
    if len(encoded) > MAX_BASIC:
        raise _too_long()
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # no base64, no ASCII, no UTF-8
        raise TokenError(401, "UNAUTHORIZED", "The Authorization header cannot be read.") from None
    username, colon, password = text.partition(":")
    if not colon:
        raise TokenError(401, "UNAUTHORIZED", "The Authorization header cannot be read.")
    return _bounded(username, password)


def _bounded(username: str, password: str) -> Credentials | None:
    if len(password) > MAX_PASSWORD:
        raise _too_long()
    # Nobody has a longer name, so what is left of it is as wrong.
    return Credentials(username[:_MAX_USERNAME], password) if username or password else None


def _too_long() -> TokenError:
    return TokenError(401, "UNAUTHORIZED", f"A password or ID token has {MAX_PASSWORD:,} bytes at most.")
