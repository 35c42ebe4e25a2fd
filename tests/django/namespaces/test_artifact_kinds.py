"""What is no image is called what it is, with the command of its own tool: on pages, in lists and in the API."""

from typing import Any

import pytest
from django.utils import timezone

from namespaces.media_types import Group
from namespaces.models import Image, Manifest
from namespaces.templatetags.manifest_cells import KIND_ICONS
from tests import factories
from tests.cast import Cast
from tests.checks import icon_sprite
from tests.django.api.caller import Caller, token_of
from tests.django.namespaces import things

pytestmark = pytest.mark.django_db
HERE = "localhost:5000/team/thing"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY = "application/vnd.oci.empty.v1+json"
OLLAMA = {
    "schemaVersion": 2,
    "mediaType": DOCKER_MANIFEST,
    "config": things.descriptor("config", 10, DOCKER_CONFIG),
    "layers": [things.descriptor("model", 100, "application/vnd.ollama.image.model")],
}
# As `oras manifest fetch` shows what each tool pushes: artifact type, config, layer → words, first command.
KINDS = {
    "ModelPack": ("application/vnd.cncf.model.manifest.v1+json", "application/vnd.cncf.model.config.v1+json",
                  "application/vnd.cncf.model.weight.v1.raw", "AI model (ModelPack)",
                  f"modctl pull --plain-http {HERE}:1"),
    "KitOps": ("", "application/vnd.kitops.modelkit.config.v1+json", "application/vnd.kitops.modelkit.model.v1.tar",
               "AI model (KitOps)", f"kit unpack --plain-http {HERE}:1"),
    "Docker Model": ("", "application/vnd.docker.ai.model.config.v0.1+json", "application/vnd.docker.ai.gguf.v3",
                     "AI model (Docker Model)", f"docker model pull {HERE}:1"),
    "Flux": ("", "application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip",
             "Flux artifact", f"flux pull artifact oci://{HERE}:1 --output thing"),
    "Wasm": ("", "application/vnd.wasm.config.v0+json", "application/wasm", "WASM module",
             f"wkg oci pull --insecure localhost:5000 {HERE}:1 -o thing.wasm"),
    "Helm": ("", "application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
             "Helm chart", f"helm pull --plain-http oci://{HERE} --version 1"),
    "Compose": ("application/vnd.docker.compose.project", EMPTY, "application/vnd.docker.compose.file+yaml",
                "Compose project", f"docker compose -f oci://{HERE}:1 config"),
    "ORAS": ("application/vnd.unknown.artifact.v1", EMPTY, "application/vnd.oci.image.layer.v1.tar", "ORAS artifact",
             f"oras pull --plain-http {HERE}:1"),
    "anything": ("application/vnd.example.thing", EMPTY, "application/vnd.example.part", "OCI artifact",
                 f"oras pull --plain-http {HERE}:1"),
}  # fmt: skip


@pytest.fixture
def image(cast: Cast) -> Any:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return factories.ImageFactory(
        namespace=namespace, name="thing", latest_tag="1", tag_count=1, pushed_at=timezone.now()
    )


def looked_at(cast: Cast, image: Image, tag: str = "1") -> tuple[dict[str, str], Any, Any]:
    """Pages by name; the tag in the API's list, and by itself."""
    client, caller = cast.client("viewer"), Caller(token_of(cast.viewer))
    pages = {
        "images": client.get("/a/team-red/images/").content.decode(),
        "image": client.get(f"/a/team-red/n/team/i/{image.name}/?technical=1").content.decode(),
        "tag": client.get(f"/a/team-red/n/team/i/{image.name}/-/tags/{tag}/").content.decode(),
        "referrers": client.get(
            f"/a/team-red/n/team/i/{image.name}/-/tags/{tag}/?tab=referrers"
        ).content.decode(),
    }
    tags = f"accounts/team-red/namespaces/team/images/{image.name}/-/tags/"
    listed = caller.get(f"{tags}?technical=true&search={tag}").json()["results"][0]
    return pages, listed, caller.get(f"{tags}{tag}/").json()


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_called_what_it_is_everywhere(cast: Cast, image: Any, kind: str) -> None:
    artifact_type, config, layer, words, command = KINDS[kind]
    things.put(image, {
        "schemaVersion": 2, "config": things.descriptor("config", 10, config),
        "layers": [things.descriptor("layer", 100, layer)],
        **({"artifactType": artifact_type} if artifact_type else {}),
    }, tag="1")  # fmt: skip
    pages, listed, told = looked_at(cast, image)
    for page in pages.values():
        assert words in page
        assert "docker pull" not in page
    assert command in pages["image"]
    assert command in pages["tag"]
    assert (listed["type"], told["type"], listed["kind"]) == (words, words, "artifact")
    assert told["commands"][0]["by_tag"] == command


@pytest.mark.parametrize(("kind", "name"), [("Helm", "steering-wheel"), ("Flux", "file")])
def test_its_kind_has_an_icon(cast: Cast, image: Any, kind: str, name: str) -> None:
    artifact_type, config, layer, *_rest = KINDS[kind]
    content = {
        "config": things.descriptor("config", 10, config),
        "layers": [things.descriptor("layer", 9, layer)],
    }
    things.put(image, {"schemaVersion": 2, **content, "artifactType": artifact_type}, tag="1")
    pages, _listed, _told = looked_at(cast, image)
    assert all(f"#{name}" in pages[page] for page in ("image", "tag"))
    assert not any("#package" in pages[page] for page in ("image", "tag"))


def test_each_group_has_an_icon_of_the_sprite() -> None:
    assert set(KIND_ICONS) == set(Group)
    assert set(KIND_ICONS.values()) <= icon_sprite.names()


def test_what_borrows_dockers_config_is_no_image(cast: Cast, image: Any) -> None:
    """Ollama writes an image of Docker's, for linux/amd64, of which docker can unpack nothing."""
    config = {"model_format": "gguf", "architecture": "amd64", "os": "linux"}
    things.put(image, OLLAMA, tag="1", media_type=DOCKER_MANIFEST)
    made_by_hand = Manifest.objects.get()
    assert (made_by_hand.kind, made_by_hand.platforms, config["os"]) == ("artifact", [], "linux")
    pages, listed, told = looked_at(cast, image)
    for page in pages.values():
        assert "AI model (Ollama)" in page
        assert "docker pull" not in page
        assert "linux/amd64" not in page
    assert listed["type"] == told["type"] == "AI model (Ollama)"
    assert told["commands"][0]["by_tag"] == f"ollama pull --insecure {HERE}:1"


@pytest.mark.parametrize(
    ("platforms", "words", "chips"),
    [
        ([None, None], "OCI index", []),
        ([{"os": "linux", "architecture": "arm64"}, None], "Multi-platform image", ["linux/arm64"]),
    ],
)
def test_an_index_that_names_no_platform_is_an_oci_index(
    cast: Cast, image: Any, platforms: list[Any], words: str, chips: list[str]
) -> None:
    entries = [
        {**things.descriptor(f"m{number}", 9, things.MANIFEST), **({"platform": each} if each else {})}
        for number, each in enumerate(platforms)
    ]
    things.put(image, {"schemaVersion": 2, "manifests": entries}, tag="1")
    pages, listed, told = looked_at(cast, image)
    assert listed["type"] == told["type"] == words
    assert all(">?<" not in page for page in pages.values())
    for name in ("images", "image", "tag"):
        assert all(chip in pages[name] for chip in chips or [words])


def test_bundles_of_cosign_are_told_apart(cast: Cast, image: Any) -> None:
    subject = things.put(image, things.image_document("a"), tag="1")
    stated = {
        "https://sigstore.dev/cosign/sign/v1": "Sigstore signature",
        "https://spdx.dev/Document": "SPDX SBOM",
        "https://cyclonedx.org/bom": "CycloneDX SBOM",
        "https://slsa.dev/provenance/v1": "SLSA provenance",
        "https://example.com/own": "Sigstore attestation",
    }
    made = {
        predicate: things.put(image, {
            "schemaVersion": 2, "artifactType": BUNDLE, "config": things.descriptor("{}", 2, EMPTY),
            "layers": [things.descriptor(predicate, 100, BUNDLE)], "subject": {"digest": subject.digest},
            "annotations": {"dev.sigstore.bundle.predicateType": predicate},
        })
        for predicate in stated
    }  # fmt: skip
    pages, _listed, told = looked_at(cast, image)
    assert {each["type"] for each in told["referrers"]} == set(stated.values())
    assert all(f">{words}<" in pages["referrers"] for words in stated.values())
    at = f"accounts/team-red/namespaces/team/images/thing/-/manifests/{made['https://spdx.dev/Document'].digest}/"
    bill = Caller(token_of(cast.viewer)).get(at).json()
    assert (bill["type"], bill["subject"]) == ("SPDX SBOM", subject.digest)
    assert bill["commands"][0]["by_digest"] == (
        f"cosign verify-attestation --allow-http-registry --key cosign.pub --type spdxjson {HERE}@{subject.digest}"
    )


def test_a_bundle_that_is_only_listed_is_told_by_what_the_list_says(cast: Cast, image: Any) -> None:
    subject = things.put(image, things.image_document("a"), tag="1")
    entry = {
        **things.descriptor("elsewhere", 9, things.MANIFEST),
        "artifactType": BUNDLE,
        "annotations": {"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"},
    }
    things.put(image, {"schemaVersion": 2, "manifests": [entry]}, tag=subject.digest.replace(":", "-"))
    pages, _listed, told = looked_at(cast, image)
    assert [each["type"] for each in told["referrers"]] == ["SLSA provenance"]
    assert "List of referrers" in pages["image"]


def test_a_signature_of_the_older_kind_is_no_image_in_the_list(cast: Cast, image: Any) -> None:
    subject = things.put(image, things.image_document("a"), tag="1")
    signature = things.image_document("s")
    signature["layers"][0]["mediaType"] = "application/vnd.dev.cosign.simplesigning.v1+json"
    tag = subject.digest.replace(":", "-") + ".sig"
    things.put(image, signature, tag=tag)
    pages, listed, told = looked_at(cast, image, tag)
    assert "cosign signature" in pages["image"]
    assert listed["type"] == told["type"] == "cosign signature"
