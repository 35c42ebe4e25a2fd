"""Secret files: written whole or not at all, and readable by their owner alone."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY_BYTES_MIN = 32
GROUP_AND_OTHERS = 0o077
ROOT = 0


class SecretFileError(Exception):
    """A secret file cannot be used; the message says which one, why, and what to do."""


def create(path: Path, content: bytes) -> bool:
    """Write a new file of mode 0600. Return False when it is there already: of two starts at once, one wins."""
    with _draft(path, content) as draft:
        try:
            os.link(draft, path)  # unlike rename, this never replaces
        except FileExistsError:
            return False
    return True


def replace(path: Path, content: bytes) -> None:
    """Put a new file of mode 0600 in the place of the old one. A reader sees one or the other, never half a file."""
    with _draft(path, content) as draft:
        draft.rename(path)


def read(path: Path) -> bytes:
    """Return the content. Raise SecretFileError when the file is missing, unreadable, or open to others."""
    try:
        problem, content = _exposure(path), path.read_bytes()
    except FileNotFoundError as error:
        raise SecretFileError(
            f"Secret file {path} is missing; run: python manage.py init_data_dir"
        ) from error
    except OSError as error:
        raise SecretFileError(f"Secret file {path} cannot be read: {error.strerror}.") from error
    if problem:
        raise SecretFileError(f"Secret file {path} {problem}")
    return content


def read_key(path: Path) -> bytes:
    """Return the content without surrounding blanks. Raise SecretFileError as `read` does, and when it is too short."""
    key = read(path).strip()
    if len(key) < KEY_BYTES_MIN:
        raise SecretFileError(f"Secret file {path} holds fewer than {KEY_BYTES_MIN} bytes; make a new one.")
    return key


def new_key() -> bytes:
    """Return 384 random bits as 64 printable characters."""
    return secrets.token_urlsafe(48).encode()


def _exposure(path: Path) -> str:
    """Return why somebody else can read or replace the file, and what to run; "" when nobody can."""
    found = path.stat()
    if found.st_mode & GROUP_AND_OTHERS:
        return f"has mode {stat.S_IMODE(found.st_mode):04o}; run: chmod 600 {path}"
    if found.st_uid not in (ROOT, os.geteuid()):
        return f"belongs to another user; run: chown {os.geteuid()} {path}"
    return ""


@contextmanager
def _draft(path: Path, content: bytes) -> Iterator[Path]:
    """Yield a file beside `path`, written whole. It is gone afterwards, also where the disk was full."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
