"""The keys of an installation, in a file of their own or encrypted: never readable beside the data.

`django.key` is not among them. A restore makes a new one, so that no session and no link of before works.
"""

import io
import re
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings

from accounts.common import encryption, secret_files
from accounts.peppers import peppers
from manager.backup import age
from manager.backup.archive import is_plain

# Without these, what is in the rows is worth nothing.
_NEEDED: Final = re.compile(r"(pepper|encryption)-[1-9][0-9]{0,4}\.key")
_OTHERS: Final = ("hook.key", "registry-http.key", "metrics.key", "ca.key", "ca.crt", "leaf.pem")
KEY_BYTES_MAX: Final = 1024 * 1024
PASSPHRASE_MIN: Final = 12  # characters


class KeysError(Exception):
    """The keys cannot be read, or are others; the message says why."""


def collect() -> dict[str, bytes]:
    """Return file name → content."""
    folder = Path(settings.SECRETS_DIR)
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    try:
        return {name: secret_files.read(folder / name) for name in names if _is_ours(name)}
    except secret_files.SecretFileError as error:
        raise KeysError(str(error)) from error


def fingerprints(keys: Mapping[str, bytes]) -> dict[str, str]:
    """Return file name → what tells one key from another and says nothing of it, of the keys that rows need."""
    return {
        name: sha256(b"registry-manager backup\n" + key).hexdigest()[:32]
        for name, key in keys.items()
        if _NEEDED.fullmatch(name)
    }


def pack(keys: Mapping[str, bytes], passphrase: str = "") -> bytes:
    """Return a tar of them, encrypted where there is a passphrase."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in keys.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return age.encrypt(packed.getvalue(), passphrase) if passphrase else packed.getvalue()


def unpack(packed: bytes, passphrase: str = "") -> dict[str, bytes]:
    """Raise KeysError."""
    if packed.startswith(age.INTRO):
        if not passphrase:
            raise KeysError("The keys are encrypted; name the file of their passphrase: --passphrase-file.")
        try:
            packed = age.decrypt(packed, passphrase)
        except age.AgeError as error:
            raise KeysError(f"The keys cannot be decrypted. {error}") from error
    keys = {}
    try:
        # Not compressed, so it is as large as it looks.
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if is_plain(member) else None
                if not content or not _is_ours(member.name) or member.size > KEY_BYTES_MAX:
                    raise KeysError(f"What does not belong is among the keys: {member.name[:100]!r}.")
                keys[member.name] = content.read()
    except (tarfile.TarError, OverflowError) as error:  # of a size that no file has
        raise KeysError("The keys cannot be read: that is no tar archive.") from error
    return keys


def check(needed: Mapping[str, str], keys: Mapping[str, bytes], where: str) -> None:
    """Raise KeysError unless `keys` are those that the rows need."""
    there = fingerprints(keys)
    for name, fingerprint in needed.items():
        if name not in there:
            raise KeysError(f"{name} is missing {where}: without it passwords would not work.")
        if there[name] != fingerprint:
            raise KeysError(f"{name} {where} is not the one of this backup: passwords would not work.")


def install(keys: Mapping[str, bytes]) -> None:
    """Put them into the secrets folder, with a new `django.key`, and have this process read them. Raise KeysError."""
    folder = Path(settings.SECRETS_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in keys.items():
            secret_files.replace(folder / name, content)
        secret_files.replace(folder / "django.key", secret_files.new_key())
    except OSError as error:
        raise KeysError(f"{folder} cannot be written to: {error.strerror}.") from error
    peppers.cache_clear()
    encryption.forget()


def read_passphrase(path: Path) -> str:
    """Return the first line. Raise KeysError, also for a file that others can read."""
    try:
        text = secret_files.read(path).decode().split("\n", 1)[0].strip()
    except secret_files.SecretFileError as error:
        raise KeysError(str(error).partition("; run: python")[0]) from error
    except UnicodeDecodeError as error:
        raise KeysError(f"{path} does not hold text.") from error
    if len(text) < PASSPHRASE_MIN:
        raise KeysError(f"The passphrase in {path} has fewer than {PASSPHRASE_MIN} characters.")
    return text


def _is_ours(name: str) -> bool:
    return bool(_NEEDED.fullmatch(name)) or name in _OTHERS
