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

from namespaces.models import Namespace, Tag
from registry_sync.client import RegistryClient, responses
from registry_sync.deletion import service as wish
from registry_sync.deletion.worker import work_due
from registry_sync.doctor import http_probe, local
from registry_sync.doctor import registry as judge
from registry_sync.doctor.result import Finding, State
from registry_sync.models import RemovalItem, Repository, SyncRun
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests.cast import Cast, principal_of
from tests.contract.conftest import bearer, configuration, delete, push, push_blob
from tests.factories import MemberFactory, NamespaceFactory
from tests.parts.fixtures import MakeRegistry
from tests.parts.images import Image
from tests.parts.registries import RunningRegistry

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
        "crv": "P-256",
        "kty": "EC",
        "x": coded(point.x.to_bytes(32, "big")),
        "y": coded(point.y.to_bytes(32, "big")),
        "kid": ":".join(name[start : start + 4] for start in range(0, len(name), 4)),
    }


def payload(layer: str) -> bytes:
    document: dict[str, Any] = {
        "schemaVersion": 1,
        "name": REPOSITORY,
        "tag": "v1",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": layer}],
        "history": [{"v1Compatibility": json.dumps({"id": "a" * 64})}],
    }
    return json.dumps(document, indent=3).encode()


def pushed(registry: RunningRegistry) -> str:
    """The digest."""
    layer = Image().layer_blobs[0]
    push_blob(registry, REPOSITORY, layer)
    document = payload(layer.digest)
    headers = bearer(REPOSITORY, "pull", "push") | {"Content-Type": responses.SIGNED_SCHEMA_1}
    url = f"{registry.url}/v2/{REPOSITORY}/manifests/v1"
    assert requests.put(url, data=signed(document), headers=headers, timeout=120).status_code == 201
    return f"sha256:{hashlib.sha256(document).hexdigest()}"


def old(make_registry: MakeRegistry, tmp_path: Path) -> RunningRegistry:
    NamespaceFactory(name="team")
    allowed = {"compatibility": {"schema1": {"enabled": True}}}
    return make_registry("2.8", configuration(tmp_path) | allowed, tmp_path)


def upgraded(registry: RunningRegistry, make_registry: MakeRegistry, tmp_path: Path) -> RunningRegistry:
    """Distribution 3 on the same storage."""
    registry.stop()
    (tmp_path / "3").mkdir()
    return make_registry("3.1", configuration(tmp_path), tmp_path / "3")


def sync(registry: RunningRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, token_for=PanelTokens()))
    assert run
    return run


def checked(registry: RunningRegistry) -> Finding:
    return judge.old_form(
        http_probe.old_form(RegistryClient(registry.url, token_for=PanelTokens())), local.panel_settings()
    )


def test_it_is_shown_as_what_it_is(cast: Cast, make_registry: MakeRegistry, tmp_path: Path) -> None:
    registry = old(make_registry, tmp_path)
    Namespace.objects.update(account=cast.account)
    digest = pushed(registry)
    for _twice in range(2):
        sync(registry)
    tag = Tag.objects.get()
    assert (tag.name, tag.manifest_id) == ("v1", digest)
    assert Repository.objects.get().problem == ""
    page = cast.client("viewer").get(tag.get_absolute_url())
    assert page.context["artifact_kind"].label == "Docker image, schema 1"
    raw = cast.client("viewer").get(f"{tag.image.get_absolute_url()}-/manifests/{tag.manifest_id}/?tab=raw")
    assert "fsLayers" in raw.content.decode()
    assert "Distribution 3 cannot read it" in page.text
    found = checked(registry)
    assert found.state is State.WARN
    assert f"/{REPOSITORY}@{digest}" in found.fixes[0].lines


def test_distribution_3_cannot_read_it_which_is_said_and_harms_nothing_else(
    make_registry: MakeRegistry, tmp_path: Path
) -> None:
    registry = old(make_registry, tmp_path)
    digest = pushed(registry)
    good = push(registry, "team/new", "1.0", Image())
    assert checked(registry).state is State.OK  # nothing was read yet
    registry = upgraded(registry, make_registry, tmp_path)
    run = sync(registry)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 0)
    assert run.requests == 1 + 2 + 1 + 2  # catalog, lists, this one once, the other and its config
    assert Tag.objects.get().manifest_id == good
    why = Repository.objects.get(name=REPOSITORY).problem
    assert (
        why == "v1 could not be read: this registry cannot read it: it is of Docker’s first form (schema 1)"
    )
    found = checked(registry)
    assert found.state is State.FAIL
    assert f"/{REPOSITORY}@DIGEST" in found.fixes[0].lines
    # By digest it goes nevertheless, and with it the tag.
    delete(registry, REPOSITORY, digest)
    sync(registry)
    assert Repository.objects.get(name=REPOSITORY).problem == ""
    assert checked(registry).state is State.OK


def test_what_was_read_before_the_upgrade_is_named_by_its_digest(
    make_registry: MakeRegistry, tmp_path: Path
) -> None:
    registry = old(make_registry, tmp_path)
    digest = pushed(registry)
    sync(registry)
    registry = upgraded(registry, make_registry, tmp_path)
    assert sync(registry).state == SyncRun.State.DONE
    assert Tag.objects.get().manifest_id == digest
    found = checked(registry)
    assert found.state is State.FAIL
    assert f"/{REPOSITORY}@{digest}" in found.fixes[0].lines
    # And it can be deleted here, though it can be read no more.
    image = Tag.objects.get().image
    by = principal_of(MemberFactory(account=image.namespace.account).person)
    told = wish.preview(image, tags=["v1"]).preview_digest
    wish.delete(by=by, image=image, tags=["v1"], digests=(), preview_digest=told, confirmation="old")
    work_due(RegistryClient(registry.url, token_for=PanelTokens()))
    assert list(RemovalItem.objects.values_list("outcome", flat=True)) == ["done"]
    assert checked(registry).state is State.OK
