"""What REDIS_URL says, so that cache and broker take it alike: all of it, or the start is refused (docs/adr/0012).

Each of the two clients knows parameters that the other does not, and without any the broker would not look at the
server's certificate. So they get no parameters in the address, and the same words beside it.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_SHAPE = (
    "must look like redis://name:password@host:6379/0, or rediss:// for TLS, with special characters as %40"
)
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_ALLOWED = {"ssl_cert_reqs": ("required", "none"), "ssl_check_hostname": ("true", "false")}


@dataclass(frozen=True, slots=True)
class Redis:
    """`url` has no parameters; `tls` holds redis-py's, and nothing without TLS."""

    url: str = field(repr=False)
    tls: dict[str, Any]


def read(url: str, *, password: str = "") -> Redis:
    """Read the address. Raise ImproperlyConfigured, with nothing of the address in its sentence."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(_SHAPE) from None
    database = parts.path.removeprefix("/")
    if parts.scheme not in ("redis", "rediss") or port == 0 or "#" in url:
        raise _wrong(_SHAPE)
    if not re.fullmatch(r"[\w.:-]+", host):  # of a comma or a semicolon the broker would make two servers
        raise _wrong(_SHAPE)
    if not re.fullmatch(r"[0-9]{0,4}", database):
        raise _wrong(_SHAPE)
    if password and parts.password:
        raise _wrong("must not hold a password where REDIS_PASSWORD_FILE names one")
    secret = password or unquote(parts.password or "")
    if parts.username and not secret:
        raise _wrong("must hold a password for the user it names")
    # Quoted anew, for the same reason.
    login = f"{quote(unquote(parts.username or ''), safe='')}:{quote(secret, safe='')}@" if secret else ""
    place = f"[{host}]" if ":" in host else host
    return Redis(
        f"{parts.scheme}://{login}{place}:{port or 6379}/{database or 0}", _tls(parts.scheme, parts.query)
    )


def _tls(scheme: str, query: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise _wrong(_SHAPE) from None
    said = dict(pairs)
    if len(said) < len(pairs) or not set(said) <= {*_FILES, *_ALLOWED}:
        raise _wrong(f"takes no parameters, once each, but {', '.join((*_ALLOWED, *_FILES))}")
    if scheme == "redis":
        if said:
            raise _wrong("must begin with rediss:// for its parameters of TLS to count")
        return {}
    for name, values in _ALLOWED.items():
        if name in said and said[name] not in values:
            raise _wrong(f"must have {' or '.join(values)} as its {name}")
    for name in _FILES:
        if name in said and not (Path(said[name]).is_file() and os.access(said[name], os.R_OK)):
            raise _wrong(f"must name a file that can be read as its {name}")
    looked_at = said.get("ssl_cert_reqs", "required")
    if looked_at == "none" and said.keys() & {"ssl_ca_certs", "ssl_check_hostname"}:
        raise _wrong("must not say with ssl_cert_reqs=none how the certificate is to be looked at")
    by_name = said.pop("ssl_check_hostname", "true") == "true" and looked_at == "required"
    return said | {"ssl_cert_reqs": looked_at, "ssl_check_hostname": by_name}


def _wrong(must: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"REDIS_URL {must}.")
