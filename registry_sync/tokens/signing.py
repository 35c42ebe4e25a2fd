"""Signs registry tokens: ES256, libtrust `kid` and `x5c`, the form Distribution 2.8 and 3.x both accept."""

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts.common.secret_files import SecretFileError
from registry_sync.tokens import ca

RELOAD_SECONDS = 30  # seconds between two looks at the leaf file
KID_BYTES = 30
ALGORITHM = "ES256"
_ES256 = ec.ECDSA(hashes.SHA256())
_HALF = 32  # bytes of each of the two numbers that are a signature (RFC 7518, 3.4)
_compact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

log = logging.getLogger(__name__)


def libtrust_kid(public_key: ec.EllipticCurvePublicKey) -> str:
    """Base32 of the first 30 bytes of SHA-256 over the DER key, in groups of four (libtrust util.go)."""
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:KID_BYTES]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signing key, parsed once, with the header its tokens carry, encoded once."""

    key: ec.EllipticCurvePrivateKey
    header: dict[str, Any]  # what it holds beside `typ` and `alg`
    encoded_header: bytes
    renewal_due_at: float  # seconds since 1970

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """SecretFileError when the file cannot sign tokens."""
        pair = ca.load_pair(path)
        x5c = base64.b64encode(pair.certificate.public_bytes(Encoding.DER)).decode()
        header = {"kid": libtrust_kid(pair.key.public_key()), "x5c": [x5c]}
        token = jwt.encode({}, pair.key, algorithm=ALGORITHM, headers=header)
        due_at = ca.renewal_due_at(pair.certificate).timestamp()
        return cls(pair.key, header, token.encode().partition(b".")[0], due_at)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return what `jwt.encode` would, without encoding the header again (docs/adr/0023)."""
        signed = self.encoded_header + b"." + _base64url(_compact(claims).encode())
        r, s = decode_dss_signature(self.key.sign(signed, _ES256))
        signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        return (signed + b"." + _base64url(signature)).decode()


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


class Signer:
    """Signs with the leaf file of a secrets folder; made once per process, safe to share between threads.

    Whoever signs renews the leaf when that is due: each machine may have one of its own, and no worker. One that
    another process renewed is taken up within 30 s. One that cannot be renewed or read is logged; the old one signs on.
    """

    def __init__(self, secrets_dir: Path) -> None:
        self.path = secrets_dir / ca.LEAF
        self._leaf: SigningKey | None = None
        self._modified = 0
        self._looked = 0

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the signed token. `iat` of the claims is the clock. Raise SecretFileError without a usable key."""
        return self.leaf(now=claims["iat"]).sign(claims)

    def leaf(self, *, now: int) -> SigningKey:
        if self._leaf is None or abs(now - self._looked) >= RELOAD_SECONDS:
            self._look(now)
        assert self._leaf is not None
        return self._leaf

    def _look(self, now: int) -> None:
        try:
            self._load_if_new()
            if self._leaf and now > self._leaf.renewal_due_at:
                ca.renew_leaf(self.path.parent, datetime.fromtimestamp(now, UTC))
                self._load_if_new()
        except (OSError, SecretFileError) as error:
            if self._leaf is None:
                raise SecretFileError(str(error)) from error
            log.warning("Still signing with the leaf read before: %s", error)
        self._looked = now

    def _load_if_new(self) -> None:
        modified = self.path.stat().st_mtime_ns
        if self._leaf is None or modified != self._modified:
            self._leaf, self._modified = SigningKey.load(self.path), modified
