"""What a manifest is called: a truth table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.media_types import (
    BY_PREDICATE,
    BY_SUFFIX,
    BY_TYPE,
    Group,
    artifact_kind,
    bundle_predicate,
    non_image_layer_type,
)

IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
HEX = "a" * 64
DSSE = "application/vnd.dsse.envelope.v1+json"
CHART, CHART_LAYER = (
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
)
EMPTY, ORAS = "application/vnd.oci.empty.v1+json", "application/vnd.unknown.artifact.v1"
DOCKER = "application/vnd.docker.distribution.manifest"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "dev.sigstore.bundle.predicateType"
SLSA = "https://slsa.dev/provenance/v1"
TABLE = [
    # kind, artifact type, config type, layer types, predicates, tag → words
    ("image", "", IMAGE_CONFIG, ["application/vnd.oci.image.layer.v1.tar+gzip"], [], "1.0", "Image"),
    ("image", "", "", [], [], "", "Image"),
    ("index", "", "", [], [], "1.0", "OCI index"),
    ("index", "", "", [], [], f"sha256-{HEX}", "List of referrers"),
    ("unknown", "", "", [], [], "1.0", "Unknown manifest"),
    ("strange", "", "", [], [], "1.0", "Unknown manifest"),
    ("unknown", f"{DOCKER}.v1+prettyjws", "", [], [], "1.0", "Docker image, schema 1"),
    ("unknown", f"{DOCKER}.v10+json", "", [], [], "1.0", "Unknown manifest"),
    ("artifact", "", "", [], [], "1.0", "OCI artifact"),
    # cosign, in its ways over the years
    ("image", "", IMAGE_CONFIG, [SIMPLE_SIGNING], [], f"sha256-{HEX}.sig", "cosign signature"),
    ("image", "", IMAGE_CONFIG, [SIMPLE_SIGNING], [], "1.0", "cosign signature"),
    ("artifact", "application/vnd.dev.cosign.artifact.sig.v1+json", "", [], [], "", "cosign signature"),
    ("image", "", IMAGE_CONFIG, ["application/octet-stream"], [], f"sha256-{HEX}.sig", "cosign signature"),
    ("artifact", "application/vnd.dev.sigstore.bundle.v0.3+json", "", [], [], "", "Sigstore bundle"),
    ("image", "", IMAGE_CONFIG, [DSSE], [], f"sha256-{HEX}.att", "in-toto attestation"),
    ("image", "", IMAGE_CONFIG, [DSSE], [SLSA], f"sha256-{HEX}.att",
     "SLSA provenance (in-toto attestation)"),
    ("image", "", IMAGE_CONFIG, ["text/spdx+json"], [], f"sha256-{HEX}.sbom", "SPDX SBOM"),
    ("image", "", IMAGE_CONFIG, ["x/y"], [], f"sha256-{HEX}.sbom", "SBOM"),
    ("image", "", IMAGE_CONFIG, ["x/y"], [], "release.sig", "Image"),
    # SBOMs and what buildx makes
    ("artifact", "application/spdx+json", EMPTY, [], [], "", "SPDX SBOM"),
    ("artifact", "application/vnd.cyclonedx+json", "", [], [], "", "CycloneDX SBOM"),
    ("artifact", "", EMPTY, ["application/vnd.cyclonedx+xml"], [], "", "CycloneDX SBOM"),
    ("image", "", IMAGE_CONFIG, [IN_TOTO], [], "", "in-toto attestation"),
    ("image", "", IMAGE_CONFIG, [IN_TOTO], ["https://spdx.dev/Document"], "", "SPDX SBOM (in-toto attestation)"),
    ("image", "", IMAGE_CONFIG, [IN_TOTO], [SLSA, "https://spdx.dev/Document", SLSA, "https://other.test/"], "",
     "SLSA provenance and SPDX SBOM (in-toto attestation)"),
    ("artifact", "application/vnd.cncf.notary.signature", "", [], [], "", "Notation signature"),
    # other things in a registry
    ("artifact", "", CHART, [CHART_LAYER], [], "1.0", "Helm chart"),
    ("artifact", CHART, "", [], [], "1.0", "Helm chart"),
    ("artifact", "", "application/vnd.wasm.config.v0+json", ["application/wasm"], [], "1.0", "WASM module"),
    ("artifact", ORAS, EMPTY, [], [], "1.0", "ORAS artifact"),
    ("artifact", "", "application/vnd.unknown.config.v1+json", [], [], "1.0", "ORAS artifact"),
    ("artifact", "application/vnd.unknown.config+json", "", ["application/octet-stream"], [], "1.0", "OCI artifact"),
    ("artifact", "application/vnd.example.thing", EMPTY, [], [], "1.0", "OCI artifact"),
    ("artifact", "application/vnd.docker.ai.model.config.v0.1+json", "", ["application/vnd.docker.ai.gguf.v3"], [],
     "1.0", "AI model (Docker Model)"),
    ("artifact", "application/vnd.cncf.model.manifest.v1+json", "application/vnd.cncf.model.config.v1+json",
     ["application/vnd.cncf.model.weight.v1.raw"], [], "1.0", "AI model (ModelPack)"),
    ("artifact", "application/vnd.kitops.modelkit.config.v1+json", "", [], [], "1.0", "AI model (KitOps)"),
    ("image", "application/vnd.docker.distribution.manifest.v2+json",
     "application/vnd.docker.container.image.v1+json",
     ["application/vnd.ollama.image.model", "application/vnd.ollama.image.template"], [], "1.0", "AI model (Ollama)"),
    ("artifact", "application/vnd.ollama.image.model", "", [], [], "", "AI model (Ollama)"),
    ("artifact", "application/vnd.cncf.flux.config.v1+json", "", [], [], "1.0", "Flux artifact"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "artifact", "config", "layers", "predicates", "tag", "words"), TABLE)
def test_what_it_is_called(
    kind: str, artifact: str, config: str, layers: list[str], predicates: list[str], tag: str, words: str
) -> None:
    found = artifact_kind(
        kind=kind,
        artifact_type=artifact,
        config_type=config,
        layer_types=layers,
        predicates=predicates,
        tag=tag,
    )
    assert found.label == words


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({}, "Sigstore bundle"),
        ({"dev.sigstore.bundle.content": "message-signature"}, "Sigstore signature"),
        ({"dev.sigstore.bundle.content": "dsse-envelope"}, "Sigstore bundle"),
        ({PREDICATE: "https://sigstore.dev/cosign/sign/v1"}, "Sigstore signature"),
        ({PREDICATE: "https://spdx.dev/Document"}, "SPDX SBOM"),
        ({PREDICATE: "https://cyclonedx.org/bom"}, "CycloneDX SBOM"),
        ({PREDICATE: "https://slsa.dev/provenance/v1"}, "SLSA provenance"),
        ({PREDICATE: "https://slsa.dev/provenance/v0.2"}, "SLSA provenance"),
        ({PREDICATE: "https://cosign.sigstore.dev/attestation/vuln/v1"}, "Vulnerability scan"),
        ({PREDICATE: "https://cosign.sigstore.dev/attestation/v1"}, "Custom attestation"),
        ({PREDICATE: "https://example.com/; rm -rf ~"}, "Sigstore attestation"),
        ({"dev.sigstore.bundle.predicatetype": "https://spdx.dev/Document"}, "Sigstore bundle"),
    ],
)
def test_bundles_are_told_apart_by_what_they_state(annotations: dict[str, str], words: str) -> None:
    found = artifact_kind(
        kind="artifact", artifact_type=BUNDLE, layer_types=[BUNDLE], bundle=bundle_predicate(annotations)
    )
    assert found.label == words
    assert found.group is Group.ABOUT
    assert found.cosign_type.isalnum() or not found.cosign_type  # it goes into a command that people paste


@pytest.mark.parametrize(
    ("layers", "other"),
    [
        (["application/vnd.ollama.image.model"], "application/vnd.ollama.image.model"),
        (["application/vnd.oci.image.layer.v1.tar+gzip"], ""),
        (["application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.ollama.image.model"], ""),
        ([SIMPLE_SIGNING], ""),
        ([EMPTY], ""),
        (
            ["x/y", "application/vnd.fermyon.spin.application.v1+config"],
            "application/vnd.fermyon.spin.application.v1+config",
        ),
        ([], ""),
    ],
)
def test_what_only_borrows_an_images_config_is_no_image(layers: list[str], other: str) -> None:
    assert non_image_layer_type(layers) == other


def test_an_index_is_an_image_when_something_in_it_is_for_a_platform() -> None:
    assert artifact_kind(kind="index", platforms=["", "linux/amd64"]).label == "Multi-platform image"
    assert artifact_kind(kind="index", platforms=["", ""]).label == "OCI index"
    assert (
        artifact_kind(kind="index", platforms=["linux/amd64"], tag=f"sha256-{HEX}").label
        == "List of referrers"
    )


@given(st.text(), st.text(), st.text(), st.lists(st.text()), st.lists(st.text()), st.text())
def test_everything_has_a_name(
    kind: str, artifact: str, config: str, layers: list[str], predicates: list[str], tag: str
) -> None:
    found = artifact_kind(
        kind=kind,
        artifact_type=artifact,
        config_type=config,
        layer_types=layers,
        predicates=predicates,
        tag=tag,
    )
    assert found.label
    assert found.group in Group


def test_no_beginning_hides_behind_a_shorter_one() -> None:
    for table in (BY_TYPE, BY_PREDICATE, BY_SUFFIX):
        keys = list(table)
        assert not [
            (early, late)
            for number, early in enumerate(keys)
            for late in keys[number + 1 :]
            if late.startswith(early) and table[late] is not table[early]
        ]
