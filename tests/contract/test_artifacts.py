"""What helm, cosign, oras and buildx push, as it is shown after a sync, and after events."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from namespaces.models import Image, Tag
from registry_sync.client import RegistryClient
from registry_sync.events import processor
from registry_sync.models import Event
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests.cast import Cast
from tests.contract.conftest import bearer, push, push_blob, push_manifest
from tests.factories import NamespaceFactory
from tests.parts import images, processes
from tests.parts.images import INDEX, MANIFEST, Blob, Json
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
REPOSITORY = "team/app"
EMPTY = Blob("application/vnd.oci.empty.v1+json", b"{}")
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART = {
    "name": "app",
    "version": "1.2.0",
    "appVersion": "9",
    "description": "An <b>app</b>",
    "apiVersion": "v2",
}


@dataclass(frozen=True)
class Pushed:
    image: str
    platform: str
    signature: str
    sbom: str
    attestation: str


def manifest_of(media_type: str, **content: Any) -> Blob:
    return Blob(media_type, json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode())


def put(
    registry: RunningRegistry,
    reference: str,
    config: Blob,
    layers: list[Json],
    blobs: list[Blob],
    **more: Any,
) -> str:
    for blob in (config, *blobs):
        push_blob(registry, REPOSITORY, blob)
    made = manifest_of(MANIFEST, config=config.descriptor, layers=layers, **more)
    return push_manifest(registry, REPOSITORY, reference or made.digest, made)


def push_all(registry: RunningRegistry) -> Pushed:
    # buildx: an index of one platform, and what it attests of it
    shown = images.Image()
    push(registry, REPOSITORY, "plain", shown)
    statement = Blob("application/vnd.in-toto+json", b'{"predicateType": "https://slsa.dev/provenance/v1"}')
    config = Blob(images.CONFIG, b'{"os": "unknown", "architecture": "unknown", "config": {}}')
    stated = [
        {
            **statement.descriptor,
            "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"},
        }
    ]
    attestation = put(registry, "", config, stated, [statement])
    hung = {
        "mediaType": MANIFEST,
        "digest": attestation,
        "size": len(_content(config, stated)),
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": shown.digest,
        },
    }
    whole = manifest_of(INDEX, manifests=[{**shown.manifest.descriptor, "platform": shown.platform}, hung])
    index = push_manifest(registry, REPOSITORY, "1.0", whole)
    # cosign: a tag that names the digest
    payload = Blob("application/vnd.dev.cosign.simplesigning.v1+json", b'{"critical": {}}')
    signature_tag = index.replace(":", "-") + ".sig"
    signature = put(
        registry, signature_tag, Blob(images.CONFIG, b'{"rootfs": {}}'), [payload.descriptor], [payload]
    )
    # oras: an artifact with a subject, and the list of them, because the registry has no referrers API
    bill = Blob("application/spdx+json", b'{"spdxVersion": "SPDX-2.3"}')
    subject = {"mediaType": INDEX, "digest": index, "size": len(whole.content)}
    named = [{**bill.descriptor, "annotations": {"org.opencontainers.image.title": "sbom.spdx.json"}}]
    more = {"artifactType": "application/spdx+json", "subject": subject}
    sbom = put(registry, "", EMPTY, named, [bill], **more)
    listed = {
        "mediaType": MANIFEST,
        "digest": sbom,
        "size": len(_content(EMPTY, named, **more)),
        "artifactType": "application/spdx+json",
    }
    push_manifest(registry, REPOSITORY, index.replace(":", "-"), manifest_of(INDEX, manifests=[listed]))
    # helm
    chart = Blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"a chart")
    put(registry, "chart", Blob(CHART_CONFIG, json.dumps(CHART).encode()), [chart.descriptor], [chart])
    # Ollama: what docker calls an image, of which it can unpack nothing
    model = Blob("application/vnd.ollama.image.model", b"GGUF")
    borrowed = Blob(DOCKER_CONFIG, b'{"architecture": "amd64", "os": "linux", "model_format": "gguf"}')
    for blob in (model, borrowed):
        push_blob(registry, REPOSITORY, blob)
    made = manifest_of(DOCKER_MANIFEST, config=borrowed.descriptor, layers=[model.descriptor])
    push_manifest(registry, REPOSITORY, "model", made)
    # and what nobody has heard of
    thing = Blob("application/vnd.example.thing", b"<script>")
    put(
        registry,
        "thing",
        Blob("application/vnd.example.config", b"[1]"),
        [thing.descriptor],
        [thing],
        artifactType="application/vnd.example.<b>",
    )
    return Pushed(index, shown.digest, signature, sbom, attestation)


def _content(config: Blob, layers: list[Json], **more: Any) -> bytes:
    return manifest_of(MANIFEST, config=config.descriptor, layers=layers, **more).content


@pytest.fixture
def cast_of_team(cast: Cast) -> Cast:
    NamespaceFactory(account=cast.account, name="team")
    return cast


def check(cast: Cast, pushed: Pushed) -> None:
    client, at = cast.client("viewer"), "/a/team-red/n/team/i/app/-/"

    def page(path: str) -> Any:
        answer = client.get(at + path)
        assert answer.status_code == 200
        return answer

    top = page("tags/1.0/")
    assert top.context["artifact_kind"].label == "Multi-platform image"
    assert [each.words for each in top.context["platforms"]] == ["linux/amd64"]
    assert [layer.command for layer in top.context["details"].layers] == ["COPY hello /", "COPY etc/motd /"]
    found = {each.digest: (each.artifact_kind.label, each.subject) for each in top.context["referrers"]}
    assert found == {
        pushed.signature: ("cosign signature", pushed.image),
        pushed.sbom: ("SPDX SBOM", pushed.image),
        pushed.attestation: ("SLSA provenance (in-toto attestation)", pushed.platform),
    }
    # each of them is a page that leads to its subject
    signature = page(f"tags/{pushed.image.replace(':', '-')}.sig/")
    assert signature.context["artifact_kind"].label == "cosign signature"
    listing = page(f"tags/{pushed.image.replace(':', '-')}/")
    assert listing.context["artifact_kind"].label == "List of referrers"
    assert [each.digest for each in listing.context["referrers"]] == [pushed.sbom]
    sbom = page(f"manifests/{pushed.sbom}/")
    assert [layer.title for layer in sbom.context["details"].layers] == ["sbom.spdx.json"]
    for each in (signature, listing, sbom):
        assert each.context["subject"].manifest.digest == pushed.image
        assert "/-/tags/1.0/" in each.content.decode()
    attestation = page(f"manifests/{pushed.attestation}/")
    assert attestation.context["subject"].digest == pushed.platform
    chart = page("tags/chart/")
    assert chart.context["artifact_kind"].label == "Helm chart"
    assert chart.context["details"].chart["appVersion"] == "9"
    assert "helm pull" in chart.content.decode()
    assert "docker pull" not in chart.content.decode()
    assert "An &lt;b&gt;app&lt;/b&gt;" in page("tags/chart/?tab=configuration").content.decode()
    model = page("tags/model/")
    assert model.context["artifact_kind"].label == "AI model (Ollama)"
    assert "ollama pull" in model.content.decode()
    assert "docker pull" not in model.content.decode()
    thing = page("tags/thing/")
    assert thing.context["artifact_kind"].label == "OCI artifact"
    digest = thing.context["manifest"].digest
    assert (
        json.loads(page(f"manifests/{digest}/?tab=raw").context["raw"].text)["config"]["mediaType"]
        == "application/vnd.example.config"
    )


def test_after_a_sync_each_is_shown_as_what_it_is(registry: RunningRegistry, cast_of_team: Cast) -> None:
    pushed = push_all(registry)
    run = reconcile(RegistryClient(registry.url, PanelTokens()))
    assert run
    assert (run.state, run.problem) == ("done", "")
    check(cast_of_team, pushed)
    digest = pushed.sbom
    body = (
        cast_of_team.client("viewer").get(f"/a/team-red/n/team/i/app/-/manifests/{digest}/download/").content
    )
    theirs = requests.get(
        f"{registry.url}/v2/{REPOSITORY}/manifests/{digest}",
        headers=bearer(REPOSITORY, "pull") | {"Accept": MANIFEST},
        timeout=120,
    )
    assert body == theirs.content


def test_a_manifest_of_no_known_type_is_refused_by_the_registry_itself(registry: RunningRegistry) -> None:
    """So `unknown` is what slips through under a known type; tests/django shows it."""
    for media_type in ("application/vnd.example.manifest+json", "text/html", "application/json"):
        answer = requests.put(
            f"{registry.url}/v2/{REPOSITORY}/manifests/strange",
            data=b'{"schemaVersion": 2, "hello": "<b>"}',
            headers=bearer(REPOSITORY, "pull", "push") | {"Content-Type": media_type},
            timeout=120,
        )
        assert answer.status_code == 400


def test_an_index_cannot_name_what_another_repository_holds(registry: RunningRegistry) -> None:
    """What an index lists is taken as held by its image; on this stands that no digest opens another's manifest."""
    theirs = images.Image(env=["SECRET=1"])
    push(registry, "other/app", "1.0", theirs)
    whole = manifest_of(INDEX, manifests=[{**theirs.manifest.descriptor, "platform": theirs.platform}])
    answer = requests.put(
        f"{registry.url}/v2/{REPOSITORY}/manifests/stolen",
        data=whole.content,
        headers=bearer(REPOSITORY, "pull", "push") | {"Content-Type": INDEX},
        timeout=120,
    )
    assert answer.status_code == 400


def test_after_events_each_is_shown_as_what_it_is(
    telling_registry: RunningRegistry, cast_of_team: Cast, settings: Any
) -> None:
    settings.EVENT_CONFIRM_AFTER = 0.3
    pushed = push_all(telling_registry)
    until(lambda: Tag.objects.count() == 7, telling_registry)
    until(lambda: not Event.objects.exclude(due_at=None).exists(), telling_registry)
    check(cast_of_team, pushed)
    # What tools made is hidden from the count of tags, and is there for who asks.
    assert Image.objects.get().tag_count == 5


def until(holds: Callable[[], bool], registry: RunningRegistry) -> None:
    ends = time.monotonic() + processes.PATIENCE
    while not holds():
        assert time.monotonic() < ends, list(Event.objects.values_list("action", "tag", "problem", "due_at"))
        processor.process_due(RegistryClient(registry.url, PanelTokens()))
        threading.Event().wait(0.02)
