"""Encrypts what a row must give back, such as the secret of an authenticator app: a stolen backup is then of no use.

The keys are `encryption-<version>.key` in the secrets folder. A text is kept with the version of its key before it:
"1:gAAAA…". A new key encrypts from its second hour on: until then a process may run that does not know it. Each
purpose has a key of its own, made of that in the file, so that a text that was moved to another column opens nothing.
"""

import base64
import re
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.common import secret_files
from accounts.common.errors import Unavailable

RESTARTED_WITHIN: Final = 3600  # seconds in which whoever makes a key restarts every process
_NAME: Final = re.compile(r"encryption-(\d+)\.key")


class Undecryptable(Unavailable):
    """The key is not there, or is another. `message` says so to the person; the log names the version."""

    def __init__(self, version: str) -> None:
        super().__init__(
            str(_("What is stored here cannot be decrypted: the key is missing. Tell the operator."))
        )
        self.version = version


def encrypt(text: str, *, purpose: str) -> str:
    """Raise Undecryptable when there is no key at all."""
    version = current_version()
    return f"{version}:{_cipher(version, purpose).encrypt(text.encode()).decode()}"


def decrypt(kept: str, *, purpose: str) -> str:
    """Raise Undecryptable."""
    version, _colon, token = kept.partition(":")
    try:
        return _cipher(int(version), purpose).decrypt(token.encode()).decode()
    except (InvalidToken, ValueError):
        raise Undecryptable(version[:10]) from None


def version_of(kept: str) -> int:
    return int(kept.partition(":")[0])


def is_old(kept: str) -> bool:
    """Return whether another key would encrypt it now, and the one that did is still there."""
    version = version_of(kept)
    return version < current_version() and version in versions()


def current_version() -> int:
    """Return the version that encrypts now."""
    if not versions():
        raise Undecryptable("any")
    newest, *older = versions()
    return newest if not older or _is_everywhere(newest) else older[0]


@cache
def versions() -> tuple[int, ...]:
    """Return those whose files are there, the newest first; read once per process."""
    folder = Path(settings.SECRETS_DIR)
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted((int(match[1]) for name in names if (match := _NAME.fullmatch(name))), reverse=True))


def make_key() -> str:
    """Make the next key. Return the name of its file."""
    name = _file(max(versions(), default=0) + 1).name
    secret_files.create(_file(max(versions(), default=0) + 1), secret_files.new_key())
    forget()
    return name


def forget() -> None:
    """Read the files again."""
    versions.cache_clear()
    _cipher.cache_clear()


def _file(version: int) -> Path:
    return Path(settings.SECRETS_DIR) / f"encryption-{version}.key"


def _is_everywhere(version: int) -> bool:
    try:
        made = _file(version).stat().st_mtime
    except OSError:
        return False
    return timezone.now().timestamp() - made > RESTARTED_WITHIN


@cache
def _cipher(version: int, purpose: str) -> Fernet:
    if version not in versions():
        raise Undecryptable(str(version))
    key = secret_files.read_key(_file(version))
    digest = salted_hmac("accounts.common.encryption", purpose, secret=key, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
