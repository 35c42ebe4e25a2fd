"""What a manifest is, in the words of those who make such things. PURE: tables of media types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, reduce
from typing import TypeVar

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from namespaces.names import technical_subject

Told = TypeVar("Told")


class Group(StrEnum):
    """What a page shows of it."""

    RUNS = "runs"  # an image
    CHART = "chart"
    FILES = "files"  # any other artifact
    CACHE = "cache"  # a builder's own; nobody pulls it
    ABOUT = "about"  # says something about another manifest
    LIST = "list"  # what is hung onto another manifest
    UNKNOWN = "unknown"


class Tool(StrEnum):
    """What fetches it; the commands of each are in pull_commands.py."""

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
class Nature:
    words: str
    group: Group
    tool: Tool
    stated_as: str = ""  # what `cosign verify-attestation --type` calls it


IMAGE = Nature(_("Image"), Group.RUNS, Tool.DOCKER)
INDEX = Nature(_("Multi-platform image"), Group.RUNS, Tool.DOCKER)
REFERRERS = Nature(_("List of referrers"), Group.LIST, Tool.BYTES)
ARTIFACT = Nature(_("OCI artifact"), Group.FILES, Tool.ORAS)
UNKNOWN = Nature(_("Unknown manifest"), Group.UNKNOWN, Tool.BYTES)
OCI_INDEX = Nature(_("OCI index"), Group.LIST, Tool.BYTES)  # of things that are for no platform
_SIGNATURE = Nature(_("cosign signature"), Group.ABOUT, Tool.COSIGN)
_DSSE = Nature(_("in-toto attestation"), Group.ABOUT, Tool.COSIGN_ATTESTATION)
_IN_TOTO = Nature(
    _("in-toto attestation"), Group.ABOUT, Tool.BYTES
)  # buildx puts it into the index of an image
_COSIGN_SBOM = Nature(_("SBOM"), Group.ABOUT, Tool.COSIGN_SBOM)
_SPDX = Nature(_("SPDX SBOM"), Group.ABOUT, Tool.ORAS)
_CYCLONEDX = Nature(_("CycloneDX SBOM"), Group.ABOUT, Tool.ORAS)
_WASM = Nature(_("WASM module"), Group.FILES, Tool.WKG)

FIRST_FORM = "application/vnd.docker.distribution.manifest.v1+"  # Distribution 2.8 reads it, 3.x does not
LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")  # what docker unpacks
BUNDLE = "application/vnd.dev.sigstore.bundle"
_BUNDLE = Nature(_("Sigstore bundle"), Group.ABOUT, Tool.COSIGN_ATTESTATION)
_BUNDLE_SIGNATURE = Nature(_("Sigstore signature"), Group.ABOUT, Tool.COSIGN)
_BUNDLE_ATTESTATION = Nature(_("Sigstore attestation"), Group.ABOUT, Tool.COSIGN_ATTESTATION)

# By the beginning of a media type, be it the artifact's, its config's or a layer's.
BY_TYPE: dict[str, Nature] = {
    "application/vnd.dev.cosign.simplesigning.": _SIGNATURE,
    "application/vnd.dev.cosign.artifact.sig.": _SIGNATURE,
    "application/vnd.dev.cosign.artifact.sbom.": _COSIGN_SBOM,
    BUNDLE: _BUNDLE,
    "application/vnd.cncf.notary.signature": Nature(_("Notation signature"), Group.ABOUT, Tool.NOTATION),
    "application/vnd.dsse.envelope.": _DSSE,
    "application/vnd.in-toto": _IN_TOTO,
    "application/vnd.docker.attestation.": _IN_TOTO,
    "application/spdx": _SPDX,
    "text/spdx": _SPDX,
    "application/vnd.cyclonedx": _CYCLONEDX,
    "application/vnd.syft": Nature(_("Syft SBOM"), Group.ABOUT, Tool.ORAS),
    "application/sarif": Nature(_("SARIF report"), Group.ABOUT, Tool.ORAS),
    "application/vnd.openvex": Nature(_("VEX statement"), Group.ABOUT, Tool.ORAS),
    "application/vnd.cncf.helm.": Nature(_("Helm chart"), Group.CHART, Tool.HELM),
    "application/vnd.ollama.": Nature(_("AI model (%(by)s)", by="Ollama"), Group.FILES, Tool.OLLAMA),
    "application/vnd.cncf.model.": Nature(
        _("AI model (%(by)s)", by="ModelPack"), Group.FILES, Tool.MODELPACK
    ),
    "application/vnd.kitops.modelkit.": Nature(_("AI model (%(by)s)", by="KitOps"), Group.FILES, Tool.KITOPS),
    "application/vnd.docker.ai.": Nature(
        _("AI model (%(by)s)", by="Docker Model"), Group.FILES, Tool.DOCKER_MODEL
    ),
    "application/vnd.cncf.flux.": Nature(_("Flux artifact"), Group.FILES, Tool.FLUX),
    "application/vnd.fermyon.spin.": Nature(_("Spin application"), Group.FILES, Tool.SPIN),
    "application/vnd.wasm.": _WASM,
    "application/wasm": _WASM,
    "application/vnd.module.wasm.": _WASM,
    "application/vnd.cncf.openpolicyagent.": Nature(
        _("Open Policy Agent bundle"), Group.FILES, Tool.CONFTEST
    ),
    "application/vnd.cncf.kubewarden.": Nature(_("Kubewarden policy"), Group.FILES, Tool.ORAS),
    "application/vnd.cncf.falco.": Nature(_("Falco artifact"), Group.FILES, Tool.ORAS),
    "application/vnd.aquasec.trivy.": Nature(_("Trivy database"), Group.FILES, Tool.ORAS),
    "application/vnd.devcontainers": Nature(_("Dev Container"), Group.FILES, Tool.ORAS),
    FIRST_FORM: Nature(_("Docker image, schema 1"), Group.UNKNOWN, Tool.BYTES),
    "application/vnd.docker.plugin.": Nature(_("Docker plugin"), Group.FILES, Tool.BYTES),
    "application/vnd.docker.compose.": Nature(_("Compose project"), Group.FILES, Tool.COMPOSE),
    "application/vnd.buildkit.cacheconfig.": Nature(_("BuildKit cache"), Group.CACHE, Tool.NONE),
    "application/vnd.sylabs.sif.": Nature(_("Singularity image"), Group.FILES, Tool.APPTAINER),
    "application/vnd.ms.bicep.": Nature(_("Bicep module"), Group.FILES, Tool.ORAS),
    "application/vnd.opentofu.": Nature(_("OpenTofu package"), Group.FILES, Tool.ORAS),
    "application/vnd.unknown.config+json": ARTIFACT,  # regctl, when nobody says what it is
    "application/vnd.unknown.": Nature(_("ORAS artifact"), Group.FILES, Tool.ORAS),
    "application/vnd.oci.empty.": ARTIFACT,
}
# By the beginning of what an attestation states: its words, and cosign's name for such.
SIGNED = "https://sigstore.dev/cosign/sign/"
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
# By how cosign names its tags, for what says nothing itself.
BY_SUFFIX: dict[str, Nature] = {".sig": _SIGNATURE, ".att": _DSSE, ".sbom": _COSIGN_SBOM}


def nature(
    *,
    kind: str,
    artifact_type: str = "",
    config_type: str = "",
    layer_types: Iterable[str] = (),
    predicates: Iterable[str] = (),
    bundle: str = "",
    platforms: Iterable[str] = (),
    tag: str = "",
) -> Nature:
    """Return what it is, the most telling first.

    What is stated, the artifact's own type, its config's, its layers', its tag's. `kind` as of a Manifest;
    `artifact_type` its media type where it names no other; `platforms` those of an index, "" for an entry that names
    none; `bundle` as `bundled` tells; `tag` is the name it is looked at under, if that is a technical one.

    The most telling first: what is stated, the artifact's own type, its config's, its layers', its tag's.
    """
    if kind == "index":
        plain = REFERRERS if technical_subject(tag) else INDEX if any(platforms) else OCI_INDEX
        return _named([artifact_type]) or plain
    specific = _named([artifact_type, config_type, *layer_types])
    if specific is _BUNDLE:
        return _of_bundle(bundle)
    stated = _stated(predicates, specific)
    if stated:
        return stated
    if specific and specific is not ARTIFACT:
        return specific
    by_tag = next((each for suffix, each in BY_SUFFIX.items() if _is_cosign(tag, suffix)), None)
    if by_tag:
        return by_tag
    return {"image": IMAGE, "artifact": ARTIFACT}.get(kind, UNKNOWN)


def bundled(annotations: Mapping[str, str]) -> str:
    """Return what a Sigstore bundle says that it states: the type of its predicate, which a bare signature may lack."""
    predicate = annotations.get("dev.sigstore.bundle.predicateType", "")
    is_bare = annotations.get("dev.sigstore.bundle.content") == "message-signature"
    return predicate or (SIGNED if is_bare else "")


def other_than_image(layer_types: Iterable[str]) -> str:
    """Return the layer's type that tells it is no image, whatever config it borrows: Ollama and Spin take Docker's."""
    types = list(layer_types)
    if any(each.startswith(LAYERS) for each in types):
        return ""
    natures = {each: _named([each]) for each in types}
    found = (
        each for each, what in natures.items() if what and what.group is Group.FILES and what is not ARTIFACT
    )
    return next(found, "")


def _named(types: Iterable[str]) -> Nature | None:
    """Return the first that is known and is not merely "some artifact"."""
    found = [each for text in types if (each := _by_type(text))]
    return next((each for each in found if each is not ARTIFACT), found[0] if found else None)


@lru_cache(maxsize=1000)
def _by_type(text: str) -> Nature | None:
    """Kept, because lists ask it of every row."""
    return next(iter(_all(BY_TYPE, [text])), None)


def _of_bundle(predicate: str) -> Nature:
    if not predicate:
        return _BUNDLE
    if predicate.startswith(SIGNED):
        return _BUNDLE_SIGNATURE
    words, stated_as = next(iter(_all(BY_PREDICATE, [predicate])), (_BUNDLE_ATTESTATION.words, ""))
    return replace(_BUNDLE_ATTESTATION, words=words, stated_as=stated_as)


def _stated(predicates: Iterable[str], carrier: Nature | None) -> Nature | None:
    """Return what is stated. Buildx puts a platform's provenance and SBOM into one manifest, a layer each."""
    found = [next(iter(_all(BY_PREDICATE, [each])), None) for each in predicates]
    words = list(dict.fromkeys(each[0] for each in found if each))
    if not words:
        return None
    what = reduce(lambda most, last: _("%(most)s and %(last)s", most=most, last=last), words)
    stated_as = next(each[1] for each in found if each)
    return replace(
        carrier or _IN_TOTO, words=_("%(what)s (in-toto attestation)", what=what), stated_as=stated_as
    )


def _all(table: dict[str, Told], texts: Iterable[str]) -> list[Told]:
    starts = [(start.lower(), told) for start, told in table.items()]
    return [told for text in texts for start, told in starts if text.lower().startswith(start)]


def _is_cosign(tag: str, suffix: str) -> bool:
    return tag.endswith(suffix) and technical_subject(tag) != ""
