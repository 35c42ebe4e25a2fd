"""What EMAIL_URL says, as Django takes it: all of it takes effect, or the start is refused (docs/adr/0012)."""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_SHAPE = (
    "must look like submission://name:password@host:587 or smtp://host:465?ssl=true, "
    "with special characters as %40"
)
_FLAGS = {
    "true": True,
    "yes": True,
    "1": True,
    "on": True,
    "false": False,
    "no": False,
    "0": False,
    "off": False,
}
_SMTP, _SUBMISSION, _TLS = 25, 587, 465  # ports
_PATIENCE = 10  # seconds; without one a dead server holds the page for ever


def read(url: str) -> dict[str, Any]:
    """Django's settings, each without its EMAIL_. Raise ImproperlyConfigured, with nothing of the address in it."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(_SHAPE) from None
    if parts.scheme not in ("smtp", "submission") or port == 0:
        raise _wrong(_SHAPE)
    if not re.fullmatch(r"[\w.:-]+", host):
        raise _wrong(_SHAPE)
    if parts.path.strip("/") or "#" in url:
        raise _wrong(_SHAPE)
    if bool(parts.username) != bool(parts.password):  # Django would not log in
        raise _wrong("must hold both a name and a password, or neither")
    said = dict(pairs)
    if len(said) < len(pairs) or not set(said) <= {"ssl", "tls", "timeout"}:
        raise _wrong("takes no parameters, once each, but ssl, tls and timeout")
    ssl, tls = _flag(said, "ssl"), _flag(said, "tls")
    if parts.scheme == "submission":
        if tls is False:
            raise _wrong("must begin with smtp:// where tls is false: submission:// always uses STARTTLS")
        tls = not ssl if tls is None else tls
    if ssl and tls:
        raise _wrong("must not have both ssl and tls")
    usual = _TLS if ssl else _SUBMISSION if parts.scheme == "submission" else _SMTP
    return {
        "HOST": host,
        "PORT": port or usual,
        "HOST_USER": unquote(parts.username or ""),
        "HOST_PASSWORD": unquote(parts.password or ""),
        "USE_TLS": bool(tls),
        "USE_SSL": bool(ssl),
        "TIMEOUT": _seconds(said.get("timeout", str(_PATIENCE))),
    }


def _flag(said: dict[str, str], name: str) -> bool | None:
    if name not in said:
        return None
    value = said[name].lower()
    if value not in _FLAGS:
        raise _wrong(f"must have true or false as its {name}")
    return _FLAGS[value]


def _seconds(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value[:4]) <= 300 or len(value) > 3:  # noqa: PLR2004
        raise _wrong("must have seconds, from 1 to 300, as its timeout")
    return int(value)


def _wrong(must: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"EMAIL_URL {must}.")
