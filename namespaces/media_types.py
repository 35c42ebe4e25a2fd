"""What kind of artifact a manifest is: tables of media types and predicates. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, reduce
from typing import TypeVar

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from namespaces.names import technical_subject

Value = TypeVar("Value")


class Group(StrEnum):
    """Artifact kinds that pages show alike."""

    RUNS = "runs"  # an image
    CHART = "chart"
    FILES = "files"  # any other artifact
    CACHE = "cache"  # a builder's own; nobody pulls it
    ABOUT = "about"  # says something about another manifest
    LIST = "list"  # what is hung onto another manifest
    UNKNOWN = "unknown"


class Tool(StrEnum):
    """The tool that pulls it. Its commands are in manifests/pull_commands.py."""

    DOCKER = "docker"
    HELM = "helm"
    ORAS = "oras"
    OLLAMA = "ollama"
    MODELPACK = "modelpack"
    KITOPS = "kitops"
    DOCKER_MODEL = "docker model"
    FLUX = "flux"
    WKG = "wkg"
    SPIN = "spin"
    CONFTEST = "conftest"
    COMPOSE = "compose"
    APPTAINER = "apptainer"
    COSIGN = "cosign"  # a signature
    COSIGN_ATTESTATION = "cosign attestation"
    COSIGN_SBOM = "cosign sbom"
    NOTATION = "notation"
    BYTES = "bytes"  # nothing but its own bytes
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    label: str
    group: Group
    tool: Tool
    cosign_type: str = ""  # what `cosign verify-attestation --type` calls it


IMAGE = ArtifactKind(_("Image"), Group.RUNS, Tool.DOCKER)
INDEX = ArtifactKind(_("Multi-platform image"), Group.RUNS, Tool.DOCKER)
REFERRERS = ArtifactKind(_("List of referrers"), Group.LIST, Tool.BYTES)
ARTIFACT = ArtifactKind(_("OCI artifact"), Group.FILES, Tool.ORAS)
UNKNOWN = ArtifactKind(_("Unknown manifest"), Group.UNKNOWN, Tool.BYTES)
OCI_INDEX = ArtifactKind(_("OCI index"), Group.LIST, Tool.BYTES)  # of things that are for no platform
_SIGNATURE = ArtifactKind(_("cosign signature"), Group.ABOUT, Tool.COSIGN)
_DSSE = ArtifactKind(_("in-toto attestation"), Group.ABOUT, Tool.COSIGN_ATTESTATION)
_IN_TOTO = ArtifactKind(
    _("in-toto attestation"), Group.ABOUT, Tool.BYTES
)  # buildx puts it into the index of an image
_COSIGN_SBOM = ArtifactKind(_("SBOM"), Group.ABOUT, Tool.COSIGN_SBOM)
_SPDX = ArtifactKind(_("SPDX SBOM"), Group.ABOUT, Tool.ORAS)
_CYCLONEDX = ArtifactKind(_("CycloneDX SBOM"), Group.ABOUT, Tool.ORAS)
_WASM = ArtifactKind(_("WASM module"), Group.FILES, Tool.WKG)

DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+"  # Distribution 2.8 reads it, 3.x does not
IMAGE_LAYERS = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
)  # what docker unpacks
SIGSTORE_BUNDLE = "application/vnd.dev.sigstore.bundle"
_BUNDLE = ArtifactKind(_("Sigstore bundle"), Group.ABOUT, Tool.COSIGN_ATTESTATION)
_BUNDLE_SIGNATURE = ArtifactKind(_("Sigstore signature"), Group.ABOUT, Tool.COSIGN)
_BUNDLE_ATTESTATION = ArtifactKind(_("Sigstore attestation"), Group.ABOUT, Tool.COSIGN_ATTESTATION)

# By the beginning of a media type, be it the artifact's, its config's or a layer's.
BY_TYPE: dict[str, ArtifactKind] = {
    "application/vnd.dev.cosign.simplesigning.": _SIGNATURE,
    "application/vnd.dev.cosign.artifact.sig.": _SIGNATURE,
    "application/vnd.dev.cosign.artifact.sbom.": _COSIGN_SBOM,
    SIGSTORE_BUNDLE: _BUNDLE,
    "application/vnd.cncf.notary.signature": ArtifactKind(
        _("Notation signature"), Group.ABOUT, Tool.NOTATION
    ),
    "application/vnd.dsse.envelope.": _DSSE,
    "application/vnd.in-toto": _IN_TOTO,
    "application/vnd.docker.attestation.": _IN_TOTO,
    "application/spdx": _SPDX,
    "text/spdx": _SPDX,
    "application/vnd.cyclonedx": _CYCLONEDX,
    "application/vnd.syft": ArtifactKind(_("Syft SBOM"), Group.ABOUT, Tool.ORAS),
    "application/sarif": ArtifactKind(_("SARIF report"), Group.ABOUT, Tool.ORAS),
    "application/vnd.openvex": ArtifactKind(_("VEX statement"), Group.ABOUT, Tool.ORAS),
    "application/vnd.cncf.helm.": ArtifactKind(_("Helm chart"), Group.CHART, Tool.HELM),
    "application/vnd.ollama.": ArtifactKind(_("AI model (%(by)s)", by="Ollama"), Group.FILES, Tool.OLLAMA),
    "application/vnd.cncf.model.": ArtifactKind(
        _("AI model (%(by)s)", by="ModelPack"), Group.FILES, Tool.MODELPACK
    ),
    "application/vnd.kitops.modelkit.": ArtifactKind(
        _("AI model (%(by)s)", by="KitOps"), Group.FILES, Tool.KITOPS
    ),
    "application/vnd.docker.ai.": ArtifactKind(
        _("AI model (%(by)s)", by="Docker Model"), Group.FILES, Tool.DOCKER_MODEL
    ),
    "application/vnd.cncf.flux.": ArtifactKind(_("Flux artifact"), Group.FILES, Tool.FLUX),
    "application/vnd.fermyon.spin.": ArtifactKind(_("Spin application"), Group.FILES, Tool.SPIN),
    "application/vnd.wasm.": _WASM,
    "application/wasm": _WASM,
    "application/vnd.module.wasm.": _WASM,
    "application/vnd.cncf.openpolicyagent.": ArtifactKind(
        _("Open Policy Agent bundle"), Group.FILES, Tool.CONFTEST
    ),
    "application/vnd.cncf.kubewarden.": ArtifactKind(_("Kubewarden policy"), Group.FILES, Tool.ORAS),
    "application/vnd.cncf.falco.": ArtifactKind(_("Falco artifact"), Group.FILES, Tool.ORAS),
    "application/vnd.aquasec.trivy.": ArtifactKind(_("Trivy database"), Group.FILES, Tool.ORAS),
    "application/vnd.devcontainers": ArtifactKind(_("Dev Container"), Group.FILES, Tool.ORAS),
    DOCKER_SCHEMA1: ArtifactKind(_("Docker image, schema 1"), Group.UNKNOWN, Tool.BYTES),
    "application/vnd.docker.plugin.": ArtifactKind(_("Docker plugin"), Group.FILES, Tool.BYTES),
    "application/vnd.docker.compose.": ArtifactKind(_("Compose project"), Group.FILES, Tool.COMPOSE),
    "application/vnd.buildkit.cacheconfig.": ArtifactKind(_("BuildKit cache"), Group.CACHE, Tool.NONE),
    "application/vnd.sylabs.sif.": ArtifactKind(_("Singularity image"), Group.FILES, Tool.APPTAINER),
    "application/vnd.ms.bicep.": ArtifactKind(_("Bicep module"), Group.FILES, Tool.ORAS),
    "application/vnd.opentofu.": ArtifactKind(_("OpenTofu package"), Group.FILES, Tool.ORAS),
    "application/vnd.unknown.config+json": ARTIFACT,  # regctl, when nobody says what it is
    "application/vnd.unknown.": ArtifactKind(_("ORAS artifact"), Group.FILES, Tool.ORAS),
    "application/vnd.oci.empty.": ARTIFACT,
}
# By the prefix of an attestation's predicate type: its label, and cosign's name for the type.
SIGNATURE_PREDICATE = "https://sigstore.dev/cosign/sign/"
BY_PREDICATE: dict[str, tuple[LazyText, str]] = {
    "https://spdx.dev/Document": (_("SPDX SBOM"), "spdxjson"),
    "https://cyclonedx.org/": (_("CycloneDX SBOM"), "cyclonedx"),
    "https://slsa.dev/provenance/v0.2": (_("SLSA provenance"), "slsaprovenance02"),
    "https://slsa.dev/provenance/v1": (_("SLSA provenance"), "slsaprovenance1"),
    "https://slsa.dev/provenance": (_("SLSA provenance"), "slsaprovenance"),
    "https://slsa.dev/verification_summary": (_("SLSA verification summary"), ""),
    "https://cosign.sigstore.dev/attestation/vuln": (_("Vulnerability scan"), "vuln"),
    "https://cosign.sigstore.dev/attestation/": (_("Custom attestation"), "custom"),
    "https://openvex.dev/": (_("VEX statement"), "openvex"),
    "https://in-toto.io/attestation/test-result": (_("Test result"), ""),
    "https://in-toto.io/attestation/vulns": (_("Vulnerability scan"), ""),
    "https://in-toto.io/Link/": (_("in-toto link"), "link"),
}
# By cosign's tag suffix, for a manifest without any type.
BY_SUFFIX: dict[str, ArtifactKind] = {".sig": _SIGNATURE, ".att": _DSSE, ".sbom": _COSIGN_SBOM}


def artifact_kind(
    *,
    kind: str,
    artifact_type: str = "",
    config_type: str = "",
    layer_types: Iterable[str] = (),
    predicates: Iterable[str] = (),
    bundle: str = "",
    platforms: Iterable[str] = (),
    tag: str = "",
) -> ArtifactKind:
    """Return the kind of the artifact, from the most specific sign that it has.

    In this order: the predicate of an attestation, its own type, its config's, its layers', and its technical tag.
    `kind` is Manifest.kind; `artifact_type` is the media type where the manifest has no artifactType; `platforms` are
    those of an index, "" for an entry without one; `bundle` is what `bundle_predicate` returned.
    """
    if kind == "index":
        plain = REFERRERS if technical_subject(tag) else INDEX if any(platforms) else OCI_INDEX
        return _most_specific([artifact_type]) or plain
    specific = _most_specific([artifact_type, config_type, *layer_types])
    if specific is _BUNDLE:
        return _bundle_kind(bundle)
    stated = _attestation_kind(predicates, specific)
    if stated:
        return stated
    if specific and specific is not ARTIFACT:
        return specific
    by_tag = next((each for suffix, each in BY_SUFFIX.items() if _is_cosign(tag, suffix)), None)
    if by_tag:
        return by_tag
    return {"image": IMAGE, "artifact": ARTIFACT}.get(kind, UNKNOWN)


def bundle_predicate(annotations: Mapping[str, str]) -> str:
    """Return the predicate type of a Sigstore bundle; SIGNATURE_PREDICATE for a bare signature; else ""."""
    predicate = annotations.get("dev.sigstore.bundle.predicateType", "")
    is_bare = annotations.get("dev.sigstore.bundle.content") == "message-signature"
    return predicate or (SIGNATURE_PREDICATE if is_bare else "")


def non_image_layer_type(layer_types: Iterable[str]) -> str:
    """Return the first layer type that no image has, else "". Ollama and Spin use Docker's config type."""
    types = list(layer_types)
    if any(each.startswith(IMAGE_LAYERS) for each in types):
        return ""
    natures = {each: _most_specific([each]) for each in types}
    found = (
        each for each, what in natures.items() if what and what.group is Group.FILES and what is not ARTIFACT
    )
    return next(found, "")


def _most_specific(types: Iterable[str]) -> ArtifactKind | None:
    """Return the first known kind that is not just ARTIFACT; ARTIFACT if nothing else is known."""
    found = [each for text in types if (each := _by_type(text))]
    return next((each for each in found if each is not ARTIFACT), found[0] if found else None)


@lru_cache(maxsize=1000)
def _by_type(text: str) -> ArtifactKind | None:
    """Return the kind of a media type by its prefix; cached, because lists call it for every row."""
    return next(iter(_prefix_matches(BY_TYPE, [text])), None)


def _bundle_kind(predicate: str) -> ArtifactKind:
    if not predicate:
        return _BUNDLE
    if predicate.startswith(SIGNATURE_PREDICATE):
        return _BUNDLE_SIGNATURE
    label, cosign_type = next(
        iter(_prefix_matches(BY_PREDICATE, [predicate])), (_BUNDLE_ATTESTATION.label, "")
    )
    return replace(_BUNDLE_ATTESTATION, label=label, cosign_type=cosign_type)


def _attestation_kind(predicates: Iterable[str], carrier: ArtifactKind | None) -> ArtifactKind | None:
    """Return the kind of an attestation. Buildx puts provenance and SBOM into one manifest, a layer each."""
    found = [next(iter(_prefix_matches(BY_PREDICATE, [each])), None) for each in predicates]
    labels = list(dict.fromkeys(each[0] for each in found if each))
    if not labels:
        return None
    what = reduce(lambda most, last: _("%(most)s and %(last)s", most=most, last=last), labels)
    cosign_type = next(each[1] for each in found if each)
    return replace(
        carrier or _IN_TOTO, label=_("%(what)s (in-toto attestation)", what=what), cosign_type=cosign_type
    )


def _prefix_matches(table: dict[str, Value], texts: Iterable[str]) -> list[Value]:
    starts = [(start.lower(), value) for start, value in table.items()]
    return [value for text in texts for start, value in starts if text.lower().startswith(start)]


def _is_cosign(tag: str, suffix: str) -> bool:
    return tag.endswith(suffix) and technical_subject(tag) != ""
