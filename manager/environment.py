"""Reads the environment once, with a sentence for every wrong value."""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv, validate

from accounts.secret_files import exposed

# NAME_FILE may name a file that holds the value of NAME.
env = FileAwareEnv(eager=True, strip_whitespace=True)
Value = TypeVar("Value")
SIGNUP_MODES = ("open", "invite", "closed")
ENVIRONMENTS = ("embedded", "production")


def preparing() -> bool:
    """True in `manage.py prepare`, which makes the secret files that everything else wants to find."""
    return sys.argv[1:2] == ["prepare"]


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    return text(name, default, validate.OneOf(allowed, error="must be one of " + ", ".join(allowed)))


def text(name: str, default: str, *rules: validate.Validator) -> str:
    return _read(lambda: env.str(name, default, validate=list(rules) or None))


def number(name: str, default: int, *, least: int, most: int) -> int:
    rule = validate.Range(least, most, error=f"must be a whole number from {least} to {most}")
    return _read(lambda: env.int(name, default, validate=[rule]))


def flag(name: str, *, default: bool) -> bool:
    return _read(lambda: env.bool(name, default))


def words(name: str, default: list[str]) -> list[str]:
    return [word.strip() for word in _read(lambda: env.list(name, default)) if word.strip()]


def url(name: str, default: str, *, path: str = "") -> str:
    """An absolute http(s) address as scheme://host[:port], ending in `path`. "" only when that is the default."""
    value = text(name, default).rstrip("/")
    if not value and not default:
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path != path or parts.query:
        raise ImproperlyConfigured(
            f"{name} must look like https://registry.example.com{path}, not {value!r}."
        )
    return value


def secret(path: Path, *, create: bool) -> str:
    """The text of a secret file. Created (0600) when missing and `create`; too open a mode is refused."""
    try:
        if create and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_once(path, secrets.token_urlsafe(48))
    except OSError as error:
        raise ImproperlyConfigured(f"Secret file {path} cannot be made: {error.strerror}.") from error
    try:
        problem, value = exposed(path), path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"Secret file {path} cannot be read: {error.strerror}.") from error
    if problem:
        raise ImproperlyConfigured(f"Secret file {path} {problem}")
    if len(value) < 32:  # noqa: PLR2004
        raise ImproperlyConfigured(f"Secret file {path} holds fewer than 32 characters; make a new one.")
    return value


def _write_once(path: Path, value: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process of the same start was first
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(value)


def _read(reader: Callable[[], Value]) -> Value:
    try:
        return reader()
    except ValueError as error:  # environs' own errors too
        raise ImproperlyConfigured(str(error)) from error
