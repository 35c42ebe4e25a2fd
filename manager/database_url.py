"""What DATABASE_URL says, as Django takes it. All of it takes effect, or the start is refused (docs/adr/0012).

No sentence repeats a part of the address that may be a secret.
"""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

POOLERS = ("none", "transaction")
TIMEOUTS = {"statement_timeout": 10_000, "lock_timeout": 2_000}  # milliseconds

# Without one a dead server holds the page for ever.
_SOCKET = {"connect_timeout": 2, "tcp_user_timeout": 10_000}
_DJANGO = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
_TLS = ("require", "verify-ca", "verify-full")
_ALLOWED = {
    "sslmode": ("disable", "allow", "prefer", *_TLS),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "read-write", "primary"),  # the panel writes
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "load_balance_hosts": ("disable", "random"),
}
_NUMBERS = ("connect_timeout", "tcp_user_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
            "keepalives_count", "sslsni")  # fmt: skip
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_OURS = ("client_encoding", "replication")  # another one would break the panel


def read(url: str, *, password: str = "", pooler: str = "none") -> dict[str, Any]:
    """Django's DATABASES["default"]. Raise ImproperlyConfigured."""
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        if pooler != "none":
            raise ImproperlyConfigured("DATABASE_POOLER is for PostgreSQL, and DATABASE_URL names SQLite.")
        return _sqlite(url)
    if scheme in ("postgresql", "postgres"):
        return _postgresql(url, password, behind_pooler=pooler != "none")
    raise _wrong("must name PostgreSQL or SQLite: postgresql://name:password@host/database")


def _sqlite(url: str) -> dict[str, Any]:
    parts = _split(url)
    name = unquote(parts.path[1:])
    if parts.netloc or not name or name == ":memory:" or "?" in url or "#" in url:
        raise _wrong("must look like sqlite:////folder/db.sqlite3, with nothing after it")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "OPTIONS": {
            # IMMEDIATE: a writing transaction waits for its turn at the start, and is not "locked" half-way. For less
            # than the 5 s that the registry waits for the answer to an event: later it would send the event again.
            "timeout": 4,
            "transaction_mode": "IMMEDIATE",
            # The limit gives back what the journal grew by while somebody kept it from being written back.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=8388608;",
        },
    }


def _postgresql(url: str, password: str, *, behind_pooler: bool) -> dict[str, Any]:
    parameters = _parameters(url)
    if password and "password" in parameters:
        raise _wrong("must not hold a password where DATABASE_PASSWORD_FILE names one")
    if behind_pooler and "options" in parameters:
        raise _wrong("must not hold options with DATABASE_POOLER: a pooler drops them; use ALTER ROLE … SET")
    database = {django: parameters.pop(name, "") for name, django in _DJANGO.items()}
    if not database["NAME"] and "service" not in parameters:
        raise _wrong("must name a database: postgresql://name:password@host/database")
    if password:
        database["PASSWORD"] = password
    # Planning cost more than running, so statements are prepared on the server from the second use. Not from the
    # first: some statements of migrations are several in one, which cannot be prepared.
    options = {
        **_SOCKET,
        "server_side_binding": True,
        "prepare_threshold": None if behind_pooler else 1,
        **parameters,
    }
    if not behind_pooler:
        timeouts = " ".join(f"-c {name}={value}" for name, value in TIMEOUTS.items())
        options["options"] = (
            f"{timeouts} {parameters.get('options', '')}".strip()
        )  # of two that differ, the last one holds
    return {
        "ENGINE": "django.db.backends.postgresql",
        **database,
        "OPTIONS": options,
        "DISABLE_SERVER_SIDE_CURSORS": behind_pooler,
    }


def _parameters(url: str) -> dict[str, str]:
    """Return name → value, as libpq itself reads the address."""
    parts = _split(url)
    if "#" in url:
        raise _wrong("must not hold “#”: in a password it is written %23")
    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError:
        raise _wrong(
            "must look like postgresql://name:password@host/database?sslmode=require, with no parameter that "
            "PostgreSQL does not know, and special characters as %40"
        ) from None
    for name, times in _names(parts).items():
        if times > 1:
            raise _wrong(
                f"says {name} more than once" if name in parameters else "says something more than once"
            )
    for name, value in parameters.items():
        _check(name, value)
    _check_tls(parameters)
    return parameters


def _names(parts: SplitResult) -> Counter[str]:
    """How often each part is said: before the “?”, and after it."""
    login, at, hosts = parts.netloc.rpartition("@")
    before = {
        "user": at and login.partition(":")[0],
        "password": login.partition(":")[2],
        "host": hosts.partition(":")[0],
        "dbname": parts.path.strip("/"),
    }
    after = [unquote(each.partition("=")[0]) for each in parts.query.split("&") if each]
    names = [name for name, value in before.items() if value] + after
    return Counter("sslmode" if name == "ssl" else name for name in names)  # libpq takes ssl=true from JDBC


def _check(name: str, value: str) -> None:
    if name in _OURS:
        raise _wrong(f"must not set {name}")
    if name in _ALLOWED and value not in _ALLOWED[name]:
        raise _wrong(f"must have one of these as its {name}: {', '.join(_ALLOWED[name])}")
    if name in _NUMBERS and not re.fullmatch(r"[0-9]{1,9}", value):
        raise _wrong(f"must have a whole number as its {name}")
    if name == "port" and not all(_is_port(each) for each in value.split(",") if each):
        raise _wrong("must have a port from 1 to 65535")
    if name in _FILES and (name, value) != ("sslrootcert", "system") and not _readable(value):
        raise _wrong(f"must name a file that can be read as its {name}")
    if not value and name not in _DJANGO:
        raise _wrong(f"must have a value for its {name}")


def _is_port(value: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,5}", value)) and 0 < int(value) < 65536  # noqa: PLR2004


def _check_tls(parameters: dict[str, str]) -> None:
    """Refuse what libpq would pass over without a word."""
    tls_required = parameters.get("sslmode", os.environ.get("PGSSLMODE", "")) in _TLS
    tls_parameters = sorted(name for name in parameters if name.startswith("ssl") and name != "sslmode")
    if tls_parameters and not tls_required:
        raise _wrong(f"must have sslmode={', '.join(_TLS)} for its {tls_parameters[0]} to count")
    hosts = (parameters.get("host") or os.environ.get("PGHOST", "")).split(",")
    if (
        "sslmode" in parameters
        and tls_required
        and not parameters.get("hostaddr")
        and any(each[:1] in ("", "/", "@") for each in hosts)
    ):
        raise _wrong("must name a host with sslmode: there is no TLS on a socket of this machine")


def _readable(path: str) -> bool:
    return Path(path).is_file() and os.access(path, os.R_OK)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _wrong("must look like postgresql://name:password@host/database") from None


def _wrong(must: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"DATABASE_URL {must}.")
