"""Registries of both generations that trust our authority, and a way to push into them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from accounts.common import secret_files
from manager.standalone.data_dir import notifications, registry_config
from registry_sync.tokens import access_list, ca
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.issuer import signer
from tests.parts import images, processes, registries
from tests.parts.fixtures import MakeRegistry


@pytest.fixture(params=registries.VERSIONS)
def registry(
    request: pytest.FixtureRequest, make_registry: MakeRegistry, tmp_path: Path
) -> Iterator[registries.RunningRegistry]:
    running = make_registry(request.param, configuration(tmp_path), tmp_path)
    yield running
    running.stop()


@pytest.fixture(params=registries.VERSIONS)
def telling_registry(
    request: pytest.FixtureRequest, make_registry: MakeRegistry, tmp_path: Path, live_server: LiveServer
) -> Iterator[registries.RunningRegistry]:
    """A registry that sends its notifications to the panel."""
    hook = secret_files.read(settings.SECRETS_DIR / "hook.key").decode()
    told = notifications(f"{live_server.url}/registry/events", hook)
    told["endpoints"][0]["timeout"] = f"{processes.PATIENCE}s"  # else it brings again what was answered late
    running = make_registry(request.param, configuration(tmp_path) | {"notifications": told}, tmp_path)
    yield running
    running.stop()


def configuration(tmp_path: Path) -> dict[str, Any]:
    return registry_config(
        port=processes.free_port(),
        data=tmp_path / "data",
        realm="http://localhost:1/auth/token",
        service=settings.TOKEN_SERVICE,
        issuer=settings.TOKEN_ISSUER,
        trusted=settings.SECRETS_DIR / ca.CA_CERTIFICATE,
        http_secret="tests",
    )


def bearer(repository: str, *actions: str, subject: str = "tester") -> dict[str, str]:
    """As the panel signs it for one of its users."""
    now = int(datetime.now(UTC).timestamp())
    payload = build_claims(
        issuer=settings.TOKEN_ISSUER, service=settings.TOKEN_SERVICE, subject=subject, now=now, expires_in=600,
        access=[access_list.ResourceActions(type="repository", name=repository, actions=list(actions))], id="test",
    )  # fmt: skip
    return {"Authorization": f"Bearer {signer().sign(payload)}"}


def push(registry: registries.RunningRegistry, repository: str, tag: str, *shown: images.Image) -> str:
    """Pushes one image, or an index of several, as a client does; returns the digest of the tag."""
    for image in shown:
        for blob in (*image.layer_blobs, image.config):
            push_blob(registry, repository, blob)
    if len(shown) == 1:
        return push_manifest(registry, repository, tag, shown[0].manifest)
    for image in shown:
        push_manifest(registry, repository, image.digest, image.manifest)
    return push_manifest(registry, repository, tag, images.index(shown))


def delete(registry: registries.RunningRegistry, repository: str, digest: str) -> None:
    url = f"{registry.url}/v2/{repository}/manifests/{digest}"
    assert requests.delete(url, headers=bearer(repository, "delete"), timeout=120).status_code == 202


def push_blob(registry: registries.RunningRegistry, repository: str, blob: images.Blob) -> None:
    auth = bearer(repository, "pull", "push")
    begun = requests.post(f"{registry.url}/v2/{repository}/blobs/uploads/", headers=auth, timeout=120)
    assert begun.status_code == 202
    location = begun.headers["Location"]
    target = location if location.startswith("http") else registry.url + location
    done = requests.put(target, params={"digest": blob.digest}, data=blob.content, headers=auth, timeout=120)
    assert done.status_code == 201


def push_manifest(
    registry: registries.RunningRegistry, repository: str, reference: str, manifest: images.Blob
) -> str:
    done = requests.put(
        f"{registry.url}/v2/{repository}/manifests/{reference}",
        data=manifest.content,
        headers=bearer(repository, "pull", "push") | {"Content-Type": manifest.media_type},
        timeout=120,
    )
    assert done.status_code == 201
    return manifest.digest
