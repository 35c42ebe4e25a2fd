"""Secret files: written whole or not at all, readable by their owner alone."""

import os
import secrets
from pathlib import Path

from accounts.common.secret_files import exposed


class KeyFileError(Exception):
    """A key file cannot be used; the message says which one, why, and what to do."""


def create(path: Path, content: bytes) -> bool:
    """Write a new 0600 file; False when it is there already. Two starts at once: one of them wins whole."""
    draft = _draft(path, content)
    try:
        os.link(draft, path)  # unlike rename, this never replaces
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def replace(path: Path, content: bytes) -> None:
    """Put a new 0600 file in the place of the old one; a reader sees either, never a half."""
    _draft(path, content).rename(path)


def read(path: Path) -> bytes:
    """Return the content of a secret file. Raise KeyFileError when it is missing, unreadable, or open to others."""
    try:
        problem, content = exposed(path), path.read_bytes()
    except FileNotFoundError as error:
        raise KeyFileError(f"Key file {path} is missing; run: python manage.py init_data_dir") from error
    except OSError as error:
        raise KeyFileError(f"Key file {path} cannot be read: {error.strerror}.") from error
    if problem:
        raise KeyFileError(f"Key file {path} {problem}")
    return content


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft
