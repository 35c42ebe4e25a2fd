"""The registry in memory answers as the real ones do, to what the sync asks."""

import json
from collections.abc import Iterator

import pytest
import requests

from registry_sync.client.responses import MANIFEST_TYPES
from tests.contract.conftest import bearer, delete, push
from tests.parts import images
from tests.parts.model_registry import ModelRegistry
from tests.parts.registries import RunningRegistry

pytestmark = pytest.mark.contract
ONE, TWO = images.Image(), images.Image(env=["A=1"])
ASKED = [
    "team/app/tags/list",
    "team/other/tags/list",
    "team/none/tags/list",
    *(f"team/app/manifests/{reference}" for reference in ("1.0", "2.0", "same", ONE.digest, TWO.digest)),
    f"team/other/manifests/{ONE.digest}",
]


@pytest.fixture
def model() -> Iterator[ModelRegistry]:
    running = ModelRegistry()
    yield running
    running.stop()


def test_both_answer_the_same(registry: RunningRegistry, model: ModelRegistry) -> None:
    for tag, image in (("1.0", ONE), ("same", ONE), ("2.0", TWO)):
        push(registry, "team/app", tag, image)
        model.push("team/app", tag, images.MANIFEST, image.digest, image.manifest.content)
    push(registry, "team/other", "1.0", TWO)
    model.push("team/other", "1.0", images.MANIFEST, TWO.digest, TWO.manifest.content)
    assert answers(registry.url) == answers(model.url)
    delete(registry, "team/app", ONE.digest)
    model.delete("team/app", ONE.digest)
    delete(registry, "team/other", TWO.digest)
    model.delete("team/other", TWO.digest)
    assert answers(registry.url) == answers(model.url)


def test_both_give_out_a_blob_where_it_is(registry: RunningRegistry, model: ModelRegistry) -> None:
    push(registry, "team/app", "1.0", ONE)
    push(registry, "team/other", "1.0", TWO)
    model.hold_blob("team/app", ONE.config.digest, ONE.config.content)
    for repository, status in (("team/app", 200), ("team/other", 404)):
        path = f"/v2/{repository}/blobs/{ONE.config.digest}"
        real, ours = (
            requests.get(url + path, headers=bearer(repository, "pull"), timeout=120)
            for url in (registry.url, model.url)
        )
        assert real.status_code == ours.status_code == status
        if status == requests.codes.ok:
            assert real.content == ours.content
        else:
            assert real.json()["errors"][0]["code"] == ours.json()["errors"][0]["code"]


def answers(url: str) -> list[object]:
    return [
        said(url, path, known)
        for path in ASKED
        for known in ("", ONE.digest)
        if not known or "manifests" in path
    ]


def said(url: str, path: str, known: str) -> object:
    headers = bearer(path.split("/manifests/", maxsplit=1)[0].removesuffix("/tags/list"), "pull")
    headers |= {"Accept": MANIFEST_TYPES} | ({"If-None-Match": f'"{known}"'} if known else {})
    response = requests.get(f"{url}/v2/{path}", headers=headers, timeout=120)
    if response.status_code == requests.codes.not_found:
        return 404, [each["code"] for each in response.json()["errors"]]
    if path.endswith("/tags/list"):
        return 200, sorted(json.loads(response.content)["tags"] or [])
    head = [response.headers.get(name) for name in ("Docker-Content-Digest", "Etag")]
    kind = response.headers.get("Content-Type") if response.content else ""
    return response.status_code, head, kind, response.content
