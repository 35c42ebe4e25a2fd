"""An issuer of ID tokens on a real socket with TLS: discovery, keys, and tokens that it signs.

    with IdTokenIssuer(folder) as issuer:
        token = issuer.sign(id_token_claims.github(), audience="https://panel.example.com")
        issuer.keys = [SigningKey.make("next")]      # rotated: what was signed before is no longer verified
        issuer.says[issuer.jwks_path] = answer(b" " * 10**7)  # or status=500, drop=True, stall=True, drip=True

Whoever fetches from it trusts `issuer.authority` (say, by SSL_CERT_FILE). Its certificate names 127.0.0.1.
"""

import base64
import json
import os
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import time
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.parts import certificates
from tests.parts.id_token_claims import Claims
from tests.parts.scripted import Answer, Scripted, answer

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
LIFETIME = 300  # seconds, as of GitHub's tokens


@dataclass(frozen=True)
class SigningKey:
    """`kid` None: neither the published key nor a token's header has one. `more`: members of the published key."""

    kid: str | None
    algorithm: str
    private: PrivateKey
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, kid: str | None = "first", algorithm: str = "RS256", **more: Any) -> "SigningKey":
        """RS256, ES256 or EdDSA. `more` adds members to the published key, and None takes one away."""
        private: PrivateKey
        if algorithm == "RS256":
            private = rsa.generate_private_key(65537, 2048)
        elif algorithm == "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
        else:
            private = ed25519.Ed25519PrivateKey.generate()
        return cls(kid, algorithm, private, more)

    @property
    def published(self) -> dict[str, Any]:
        """Its JWK: public, for signatures."""
        public: Any = self.private.public_key()
        kind: Any = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}[self.algorithm]
        written: dict[str, Any] = kind.to_jwk(public, as_dict=True)
        written.pop("key_ops", None)
        named = {"use": "sig", "alg": self.algorithm, "kid": self.kid} | self.more
        return written | {name: value for name, value in named.items() if value is not None}

    def sign(self, claims: Claims, **header: Any) -> str:
        named = {} if self.kid is None else {"kid": self.kid}
        key: Any = self.private
        return jwt.encode(claims, key, self.algorithm, headers=named | header)


class IdTokenIssuer(Scripted):
    """Answers discovery and `keys`; `says` has the better word on a path, as of every Scripted.

    `url` is its exact `iss`. `path`: of an issuer that is not at its host's root, as `/api/actions`.
    `folder`, `port` and `keys` of one that was stopped bring that one back.
    """

    def __init__(
        self, folder: Path, *, path: str = "", port: int = 0, keys: list[SigningKey] | None = None
    ) -> None:
        files = certificates.kept(folder)
        self.authority, self.path = files.authority, path
        self.keys = keys or [SigningKey.make()]
        super().__init__(port, otherwise=answer(status=404), tls=files)

    @property
    def url(self) -> str:
        return super().url + self.path

    @property
    def discovery_path(self) -> str:
        return f"{self.path.rstrip('/')}/.well-known/openid-configuration"

    @property
    def jwks_path(self) -> str:
        return f"{self.path.rstrip('/')}/jwks"

    @property
    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": super().url + self.jwks_path,
            "id_token_signing_alg_values_supported": sorted({key.algorithm for key in self.keys}),
        }

    @property
    def jwks(self) -> str:
        """The text of its key set, also for pasting it."""
        return json.dumps({"keys": [key.published for key in self.keys]})

    def answer_to(self, request: BaseHTTPRequestHandler) -> Answer:
        own = {self.discovery_path: self.discovery, self.jwks_path: self.jwks}
        path = request.path.split("?")[0]
        if path in own and path not in self.says and path not in self.by_request:
            return answer(own[path], Content_Type="application/json")
        return super().answer_to(request)

    def sign(
        self,
        claims: Claims,
        *,
        audience: str | list[str],
        lifetime: float = LIFETIME,
        age: float = 0,
        size: int = 0,
        key: SigningKey | None = None,
        **header: Any,
    ) -> str:
        """Sign a token that was issued `age` seconds ago; it lives for `lifetime` seconds from then on.

        `size`: at least so many bytes, and at most three more. `key`: another than its first;
        `replace(key, kid=None)` signs with it and does not name it. `claims` may say `iss`, `exp` and the like
        themselves.
        """
        issued = int(time() - age)
        times = {"iat": issued, "nbf": issued, "exp": int(issued + lifetime)}
        whole: Claims = {"iss": self.url, "aud": audience, "jti": str(uuid.uuid4())} | times | claims
        signing = key or self.keys[0]
        token = signing.sign(whole, **header)
        while len(token) < size:
            whole["padding"] = _text(
                len(whole.get("padding", "")) + max(1, (size - len(token) - 18) * 3 // 4)
            )
            token = signing.sign(whole, **header)
        return token

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _text(length: int) -> str:
    """Text that does not compress."""
    return base64.urlsafe_b64encode(os.urandom(length)).decode()[:length]
