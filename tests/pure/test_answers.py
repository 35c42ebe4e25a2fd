"""What an answer with a manifest proves: its digest, also of Docker's first, signed form."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_sync.client import RegistryError, answers

PAYLOAD = b'{\n   "schemaVersion": 1,\n   "name": "team/old",\n   "tag": "v1"\n}'
TAIL = b"\n}"
DIGEST = answers.digest_of(PAYLOAD)


def coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(protected: object) -> bytes:
    text = protected if isinstance(protected, str) else coded(json.dumps(protected).encode())
    signatures = json.dumps([{"header": {"alg": "ES256"}, "signature": "c2ln", "protected": text}])
    return PAYLOAD[: -len(TAIL)] + f',\n   "signatures": {signatures}'.encode() + TAIL


GOOD = signed({"formatLength": len(PAYLOAD) - len(TAIL), "formatTail": coded(TAIL)})


def fetched(body: bytes, media_type: str = answers.SIGNED, digest: str = DIGEST) -> answers.Fetched:
    headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
    return answers.manifest("team/old", "v1", headers, body)


def test_a_signed_manifests_digest_is_of_what_was_signed() -> None:
    found = fetched(GOOD)
    assert (found.digest, found.media_type, found.body) == (DIGEST, answers.SIGNED, GOOD)
    assert json.loads(GOOD)["tag"] == "v1"


def test_another_form_cannot_say_so() -> None:
    with pytest.raises(RegistryError, match="not what its digest says"):
        fetched(GOOD, "application/vnd.oci.image.manifest.v1+json")


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace(b"team/old", b"team/new"),
        signed({"formatLength": 5, "formatTail": coded(TAIL)}),
        signed({"formatLength": "5", "formatTail": coded(TAIL)}),
        signed({"formatLength": len(PAYLOAD)}),
        signed("!"),
        signed([]),
        b'{"signatures": []}',
        b'{"signatures": [{"protected": 7}]}',
        b"[]",
        b"",
    ],
)
def test_what_was_not_signed_is_not_believed(body: bytes) -> None:
    with pytest.raises(RegistryError, match="not what its digest says"):
        fetched(body)


@given(st.binary())
def test_any_bytes_are_refused_in_words(body: bytes) -> None:
    with pytest.raises(RegistryError):
        fetched(body, digest="sha256:" + hashlib.sha256(b"another").hexdigest())
