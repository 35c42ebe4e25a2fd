"""A device with passkeys, without a browser: answers what the panel asks as a browser would send it."""

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG


class Device:
    """`verifies`: whether it knows its owner by a PIN or a fingerprint."""

    def __init__(
        self, *, origin: str = "http://localhost:8000", rp: str = "localhost", verifies: bool = True
    ) -> None:
        self.origin, self.rp = origin, rp
        self.flags = FLAG.UP | FLAG.UV if verifies else FLAG.UP
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(str(id(self.key)).encode()).digest()
        self.handle = ""

    def register(self, options: dict[str, Any]) -> str:
        asked = options["publicKey"]
        self.handle = asked["user"]["id"]
        key = ES256.from_cryptography_key(self.key.public_key())
        made = AttestedCredentialData.create(Aaguid.NONE, self.id, key)
        data = AuthenticatorData.create(self._rp_hash(), self.flags | FLAG.AT, 0, made)
        client = self._client_data("webauthn.create", asked["challenge"])
        attested = AttestationObject.create("none", data, {})
        response = {"clientDataJSON": websafe_encode(client), "attestationObject": websafe_encode(attested)}
        return self._credential(response)

    def sign(self, options: dict[str, Any]) -> str:
        client = self._client_data("webauthn.get", options["publicKey"]["challenge"])
        data = AuthenticatorData.create(self._rp_hash(), self.flags, 0)
        signature = self.key.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": self.handle,
            }
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return bytes(CollectedClientData.create(kind, websafe_decode(challenge), self.origin))

    def _rp_hash(self) -> bytes:
        return hashlib.sha256(self.rp.encode()).digest()

    def _credential(self, response: dict[str, str]) -> str:
        name = websafe_encode(self.id)
        credential = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps(credential | {"clientExtensionResults": {"credProps": {"rk": True}}})
