"""Generated passwords: making, checking their shape, digesting. PURE.

A password is `rmp_<32 base62: 190 random bits><6 base62: CRC-32>`. The prefix lets scanners find leaks, the
checksum lets a typo be refused before the database is asked. The bits make one fast keyed hash enough:
a registry authenticates on every pull, so a slow hash here would be a self-made denial of service.
"""

import hmac
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
BODY_LENGTH = 32
CHECK_LENGTH = 6
USER_PREFIX = "rmp"
API_PREFIX = "rma"
LINK_PREFIX = "rml"
HINT_LENGTH = 4
_SHAPE = re.compile(rf"(rm[a-z])_([0-9A-Za-z]{{{BODY_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class Pepper:
    """The key of the keyed hash and its version; kept in a file of its own, outside the database."""

    version: int
    key: bytes

    def __repr__(self) -> str:  # the key must not reach a log through a traceback
        return f"Pepper(version={self.version})"


def make(prefix: str) -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY_LENGTH))
    return f"{prefix}_{body}{_check(prefix, body)}"


def well_formed(text: str, prefix: str) -> bool:
    """Return True when `text` is one that `make(prefix)` can have made: the shape and the checksum hold."""
    match = _SHAPE.fullmatch(text)
    return bool(match and match[1] == prefix and match[3] == _check(prefix, match[2]))


def digest(text: str, pepper: Pepper) -> str:
    """Hex HMAC-SHA256, 64 characters: the only form in which a secret is stored."""
    return hmac.digest(pepper.key, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def digests(text: str, peppers: Iterable[Pepper]) -> list[str]:
    """Return what `text` may be stored as: one digest for each pepper still in use, the newest pepper's first."""
    return [digest(text, pepper) for pepper in peppers]


def hint(text: str) -> str:
    """Return what a person may be shown again to tell two secrets apart."""
    return text[-HINT_LENGTH:]


def _check(prefix: str, body: str) -> str:
    number, letters = zlib.crc32(f"{prefix}_{body}".encode()), ""
    for _ in range(CHECK_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters = ALPHABET[rest] + letters
    return letters
