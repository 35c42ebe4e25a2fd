"""Encryption by a passphrase in the age format (age-encryption.org/v1), so that `age --decrypt` opens it too. PURE.

The header wraps a random file key by scrypt of the passphrase; the content is chunks of 64 KiB, each sealed with its
number and whether it is the last, so that nothing can be changed, moved or cut off unseen.
"""

import base64
import os
import re
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

INTRO: Final = b"age-encryption.org/v1"
WORK_FACTOR: Final = 18  # as age itself: 256 MiB and about a second
WORK_FACTOR_MAX: Final = 22  # 4 GiB; age takes no more either
CHUNK: Final = 64 * 1024
TAG: Final = 16
FILE_KEY_LENGTH: Final = 16
SALT_LENGTH: Final = 16
# Of the last character two or four bits mean nothing: they are zero, so that nothing is written in two ways.
_16, _32 = rb"([A-Za-z0-9+/]{21}[AQgw])", rb"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])"
_HEADER: Final = re.compile(
    INTRO + rb"\n-> scrypt " + _16 + rb" ([1-9][0-9]?)\n" + _32 + rb"\n--- " + _32 + rb"\n"
)


class AgeError(ValueError):
    """It cannot be opened; the message says why."""


def encrypt(content: bytes, passphrase: str, *, work_factor: int = WORK_FACTOR) -> bytes:
    file_key, salt, nonce = os.urandom(FILE_KEY_LENGTH), os.urandom(SALT_LENGTH), os.urandom(16)
    wrapped = ChaCha20Poly1305(_wrapping_key(passphrase, salt, work_factor)).encrypt(
        bytes(12), file_key, None
    )
    head = INTRO + b"\n-> scrypt %s %d\n%s\n---" % (_base64(salt), work_factor, _base64(wrapped))
    return head + b" " + _base64(_seal(file_key, head)) + b"\n" + nonce + _chunks(content, file_key, nonce)


def decrypt(content: bytes, passphrase: str) -> bytes:
    """Raise AgeError."""
    found = _HEADER.match(content)
    if not found:
        raise AgeError("It is not encrypted by a passphrase in the age format.")
    salt, wrapped, seal = (_unbase64(found[number]) for number in (1, 3, 4))
    if int(found[2]) > WORK_FACTOR_MAX:
        raise AgeError("It asks for more work than is safe to do.")
    try:
        file_key = ChaCha20Poly1305(_wrapping_key(passphrase, salt, int(found[2]))).decrypt(
            bytes(12), wrapped, None
        )
    except InvalidTag:
        raise AgeError("The passphrase is another one.") from None
    mac = HMAC(_derived(file_key, b"", b"header"), SHA256())
    mac.update(content[: found.start(4) - 1])
    try:
        mac.verify(seal)
        return _opened(content[found.end() :], file_key)
    except (InvalidSignature, InvalidTag):
        raise AgeError("It was changed or cut off.") from None


def _chunks(content: bytes, file_key: bytes, nonce: bytes) -> bytes:
    cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
    parts = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)] or [b""]
    last = len(parts) - 1
    return b"".join(
        cipher.encrypt(_number(at, is_last=at == last), part, None) for at, part in enumerate(parts)
    )


def _opened(payload: bytes, file_key: bytes) -> bytes:
    nonce, sealed = payload[:16], payload[16:]
    cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
    parts = [sealed[start : start + CHUNK + TAG] for start in range(0, len(sealed), CHUNK + TAG)] or [b""]
    last = len(parts) - 1
    opened = [cipher.decrypt(_number(at, is_last=at == last), part, None) for at, part in enumerate(parts)]
    if last and not opened[-1]:
        raise InvalidTag  # only an empty content has an empty chunk
    return b"".join(opened)


def _number(at: int, *, is_last: bool) -> bytes:
    return at.to_bytes(11, "big") + bytes([is_last])


def _wrapping_key(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    scrypt = Scrypt(salt=INTRO + b"/scrypt" + salt, length=32, n=2**work_factor, r=8, p=1)
    return scrypt.derive(passphrase.encode())


def _seal(file_key: bytes, head: bytes) -> bytes:
    mac = HMAC(_derived(file_key, b"", b"header"), SHA256())
    mac.update(head)
    return mac.finalize()


def _derived(file_key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(file_key)


def _base64(content: bytes) -> bytes:
    return base64.b64encode(content).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))
