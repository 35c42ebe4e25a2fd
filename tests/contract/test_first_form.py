"""Docker's first form of a manifest, which Distribution 2.8 may still hold: signed, and known by what was signed."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from namespaces.models import Tag
from registry_sync.client import Registry, answers
from registry_sync.connection import OwnTokens
from registry_sync.models import Repository
from registry_sync.sync.reconcile import reconcile
from tests.cast import Cast
from tests.contract.conftest import bearer, configuration, push_blob
from tests.factories import NamespaceFactory
from tests.parts.fixtures import MakeRegistry
from tests.parts.images import Image

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
REPOSITORY, TAIL = "team/old", b"\n}"


def coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(payload: bytes) -> bytes:
    """As docker signed it until 2016: a JSON web signature in the midst of the manifest."""
    key = ec.generate_private_key(ec.SECP256R1())
    told = {
        "formatLength": len(payload) - len(TAIL),
        "formatTail": coded(TAIL),
        "time": "2015-01-01T00:00:00Z",
    }
    protected = coded(json.dumps(told).encode())
    made = key.sign(f"{protected}.{coded(payload)}".encode(), ec.ECDSA(hashes.SHA256()))
    both = b"".join(number.to_bytes(32, "big") for number in utils.decode_dss_signature(made))
    entry = {"header": {"jwk": web_key(key.public_key()), "alg": "ES256"}, "signature": coded(both)}
    signatures = json.dumps([entry | {"protected": protected}])
    return payload[: -len(TAIL)] + f',\n   "signatures": {signatures}'.encode() + TAIL


def web_key(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    point = key.public_numbers()
    kinds = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = base64.b32encode(hashlib.sha256(key.public_bytes(*kinds)).digest()[:30]).decode()
    return {
        "crv": "P-256", "kty": "EC", "x": coded(point.x.to_bytes(32, "big")), "y": coded(point.y.to_bytes(32, "big")),
        "kid": ":".join(name[start : start + 4] for start in range(0, len(name), 4)),
    }  # fmt: skip


def payload(layer: str) -> bytes:
    document: dict[str, Any] = {
        "schemaVersion": 1, "name": REPOSITORY, "tag": "v1", "architecture": "amd64",
        "fsLayers": [{"blobSum": layer}], "history": [{"v1Compatibility": json.dumps({"id": "a" * 64})}],
    }  # fmt: skip
    return json.dumps(document, indent=3).encode()


def test_it_is_shown_as_what_it_is(cast: Cast, make_registry: MakeRegistry, tmp_path: Path) -> None:
    NamespaceFactory(account=cast.account, name="team")
    old = configuration(tmp_path) | {"compatibility": {"schema1": {"enabled": True}}}
    registry = make_registry("2.8", old, tmp_path)
    layer = Image().layer_blobs[0]
    push_blob(registry, REPOSITORY, layer)
    document = payload(layer.digest)
    headers = bearer(REPOSITORY, "pull", "push") | {"Content-Type": answers.SIGNED}
    url = f"{registry.url}/v2/{REPOSITORY}/manifests/v1"
    assert requests.put(url, data=signed(document), headers=headers, timeout=60).status_code == 201
    for _twice in range(2):
        assert reconcile(Registry(registry.url, token_for=OwnTokens()))
    tag = Tag.objects.get()
    assert (tag.name, tag.manifest_id) == ("v1", f"sha256:{hashlib.sha256(document).hexdigest()}")
    assert Repository.objects.get().problem == ""
    page = cast.client("viewer").get(tag.get_absolute_url())
    assert page.context["nature"].words == "Docker image, schema 1"
    raw = cast.client("viewer").get(f"{tag.image.get_absolute_url()}-/manifests/{tag.manifest_id}/")
    assert "fsLayers" in raw.content.decode()
