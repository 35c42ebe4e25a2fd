"""Reads the environment once, with a sentence for every wrong value that does not repeat it: it may be a secret."""

import os
import re
import sys
import zoneinfo
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv

from accounts.common import secret_files
from accounts.outbound.addresses import Network, networks_from

# NAME_FILE may name a file that holds the value of NAME.
env = FileAwareEnv(eager=True, strip_whitespace=True)
SIGNUP_MODES = ("open", "invite", "closed")
ENVIRONMENTS = ("standalone", "production")
# Settings that were called otherwise before the first release.
RENAMED = {
    "API_RATE": "API_CALLS_PER_MINUTE",
    "MAX_ACCOUNTS": "MAX_ACCOUNTS_PER_PERSON",
    "MAX_API_TOKENS": "MAX_API_TOKENS_PER_PERSON",
    "MAX_GRANTS": "MAX_GRANTS_PER_ACCOUNT",
    "MAX_INVITATIONS": "MAX_INVITATIONS_PER_ACCOUNT",
    "MAX_MEMBERS": "MAX_MEMBERS_PER_ACCOUNT",
    "MAX_NAMESPACES": "MAX_NAMESPACES_PER_ACCOUNT",
    "MAX_RETENTION_RULES": "MAX_RETENTION_RULES_PER_ACCOUNT",
    "MAX_USERS": "MAX_USERS_PER_ACCOUNT",
    "REGISTRY_IS_CACHE": "REGISTRY_IS_PULL_THROUGH_CACHE",
    "SYNC_INTERVAL": "SYNC_INTERVAL_SECONDS",
    "SYNC_WORKERS": "SYNC_CONCURRENCY",
    "TOKEN_TTL": "TOKEN_TTL_SECONDS",
    "TRUSTED_PROXIES": "TRUSTED_PROXY_COUNT",
}
NO_NEW_KEYS = "--no-new-keys"  # of `init_data_dir`, where the keys of another machine have to be
_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(
    ("0", "false", "no", "off", ""), False
)
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def preparing() -> bool:
    """Return True in `manage.py init_data_dir`, which makes the secret files that everything else wants to find."""
    return sys.argv[1:2] == ["init_data_dir"]


def refuse_old_names() -> None:
    """Raise ImproperlyConfigured for a setting whose name is not read any more, so that it is not ignored."""
    for old, new in RENAMED.items():
        for ending in ("", "_FILE"):
            if f"{old}{ending}" in os.environ:
                raise ImproperlyConfigured(f"{old}{ending} is now called {new}{ending}. Rename it.")


def text(name: str, default: str) -> str:
    try:
        return env.str(name, default)
    except ValueError as error:  # NAME_FILE cannot be read; environs' own errors too
        raise ImproperlyConfigured(str(error)) from error


def word(name: str, default: str) -> str:
    return _fitting(name, text(name, default), re.compile(r"[!-~]+"), "not be empty, nor hold spaces")


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise _wrong(name, "be one of " + ", ".join(allowed))
    return value


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
        raise _wrong(name, f"be a whole number from {least} to {most}")
    return int(value)


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in _FLAGS:
        raise _wrong(name, "be true or false")
    return _FLAGS[value]


def hosts(name: str) -> list[str]:
    """Names separated by commas; one that begins with a point stands for all below it."""
    found = [each.strip() for each in text(name, "").split(",") if each.strip()]
    return [_fitting(name, each, _HOST, "hold host names, separated by commas") for each in found]


def host(name: str, default: str) -> str:
    return _fitting(name, text(name, default), _HOST, "look like registry.example.com or localhost:5000")


def networks(name: str) -> tuple[Network, ...]:
    """Return networks separated by commas."""
    try:
        return networks_from(each.strip() for each in text(name, "").split(",") if each.strip())
    except ValueError:
        raise _wrong(name, "hold networks as 10.1.0.0/16, separated by commas") from None


def url(name: str, default: str, *, path: str = "") -> str:
    """Return an absolute http(s) address as scheme://host[:port], ending in `path`. "" only as the default."""
    value = text(name, default).rstrip("/")
    if not value and not default:
        return value
    parts = _split(value)
    if not parts or parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        raise _wrong(name, f"look like https://registry.example.com{path}")
    if parts.path != path or "?" in value or "#" in value:
        raise _wrong(name, f"look like https://registry.example.com{path}")
    return value


def issuer(name: str, *, plain_http: bool) -> str:
    """Return the address of an OpenID Connect issuer; "" when there is none. `plain_http`: http:// will do."""
    value = text(name, "").removesuffix("/.well-known/openid-configuration")
    parts = _split(value)
    schemes = ("https", "http") if plain_http else ("https",)
    if value and (
        not parts
        or parts.scheme not in schemes
        or not _HOST.fullmatch(parts.netloc)
        or not re.fullmatch(r"[!-~]{1,255}", value)
        or "?" in value
        or "#" in value
    ):
        raise _wrong(name, "look like https://login.example.com or https://login.example.com/realms/main")
    return value


def zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise _wrong(name, "name a time zone, as Europe/Paris") from None
    return value


def sender(name: str, default: str) -> str:
    value = text(name, default)
    _name, address = parseaddr(value)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not value.isprintable():
        raise _wrong(name, "look like Registry Manager <no-reply@example.com>")
    return value


def contact(name: str) -> str:
    """Return an address for people, as a URI; "" when there is none."""
    value = text(name, "")
    if value and not re.fullmatch(r"mailto:[!-?A-~]+@[!-?A-~]+|https://[!-~]+", value):
        raise _wrong(name, "look like mailto:security@example.com or https://example.com/security")
    return value


def _split(value: str) -> SplitResult | None:
    """None for what is no address: its port or its brackets are wrong."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _fitting(name: str, value: str, shape: re.Pattern[str], must: str) -> str:
    if not shape.fullmatch(value):
        raise _wrong(name, must)
    return value


def _wrong(name: str, must: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} must {must}.")


def secret(path: Path, *, create: bool) -> str:
    """Return a secret file's text, without surrounding blanks. Make the file when it is missing and `create`."""
    if NO_NEW_KEYS in sys.argv and not path.exists():
        raise ImproperlyConfigured(f"Secret file {path} is missing. Copy it from the machine that made it.")
    try:
        if create and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            secret_files.create(path, secret_files.new_key())
        return secret_files.read_key(path).decode()
    except OSError as error:
        raise ImproperlyConfigured(f"Secret file {path} cannot be made: {error.strerror}.") from error
    except secret_files.SecretFileError as error:
        raise ImproperlyConfigured(str(error)) from error
    except UnicodeDecodeError:  # its text would tell some of the secret
        raise ImproperlyConfigured(
            f"Secret file {path} holds bytes that are no text; make a new one."
        ) from None
