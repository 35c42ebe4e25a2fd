"""What a manifest is, in the words of those who make such things. PURE: tables of media types."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import TypeVar

from accounts.words import Said
from accounts.words import said as _
from namespaces.names import technical_subject

Told = TypeVar("Told")


class Group(StrEnum):
    RUNS = "runs"  # an image: docker pulls it
    CHART = "chart"  # helm pulls it
    FILES = "files"  # any other artifact: oras pulls it
    CACHE = "cache"  # a builder's own; nobody pulls it
    ABOUT = "about"  # says something about another manifest
    LIST = "list"  # what is hung onto another manifest
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Nature:
    words: str
    group: Group


IMAGE = Nature(_("Image"), Group.RUNS)
INDEX = Nature(_("Multi-platform image"), Group.RUNS)
REFERRERS = Nature(_("List of referrers"), Group.LIST)
ARTIFACT = Nature(_("OCI artifact"), Group.FILES)
UNKNOWN = Nature(_("Unknown manifest"), Group.UNKNOWN)
_SIGNATURE = Nature(_("cosign signature"), Group.ABOUT)
_ATTESTATION = Nature(_("in-toto attestation"), Group.ABOUT)
OCI_INDEX = Nature(_("OCI index"), Group.LIST)  # of things that are for no platform
_SPDX = Nature(_("SPDX SBOM"), Group.ABOUT)
_CYCLONEDX = Nature(_("CycloneDX SBOM"), Group.ABOUT)

FIRST_FORM = "application/vnd.docker.distribution.manifest.v1+"  # Distribution 2.8 reads it, 3.x does not

# By the beginning of a media type, be it the artifact's, its config's or a layer's.
BY_TYPE: dict[str, Nature] = {
    "application/vnd.dev.cosign.simplesigning.": _SIGNATURE,
    "application/vnd.dev.cosign.artifact.sig.": _SIGNATURE,
    "application/vnd.dev.cosign.artifact.sbom.": Nature(_("SBOM"), Group.ABOUT),
    "application/vnd.dev.sigstore.bundle": Nature(_("Sigstore bundle"), Group.ABOUT),
    "application/vnd.cncf.notary.signature": Nature(_("Notation signature"), Group.ABOUT),
    "application/vnd.dsse.envelope.": _ATTESTATION,
    "application/vnd.in-toto": _ATTESTATION,
    "application/spdx": _SPDX,
    "text/spdx": _SPDX,
    "application/vnd.cyclonedx": _CYCLONEDX,
    "application/vnd.syft": Nature(_("Syft SBOM"), Group.ABOUT),
    "application/sarif": Nature(_("SARIF report"), Group.ABOUT),
    "application/vnd.openvex": Nature(_("VEX statement"), Group.ABOUT),
    "application/vnd.cncf.helm.": Nature(_("Helm chart"), Group.CHART),
    "application/vnd.wasm.": Nature(_("WASM module"), Group.FILES),
    "application/wasm": Nature(_("WASM module"), Group.FILES),
    "application/vnd.module.wasm.": Nature(_("WASM module"), Group.FILES),
    "application/vnd.cncf.flux.": Nature(_("Flux artifact"), Group.FILES),
    "application/vnd.cncf.openpolicyagent.": Nature(_("Open Policy Agent bundle"), Group.FILES),
    "application/vnd.cncf.model.": Nature(_("AI model"), Group.FILES),
    "application/vnd.docker.ai.": Nature(_("AI model"), Group.FILES),
    FIRST_FORM: Nature(_("Docker image, schema 1"), Group.UNKNOWN),
    "application/vnd.docker.plugin.": Nature(_("Docker plugin"), Group.FILES),
    "application/vnd.docker.compose.": Nature(_("Compose project"), Group.FILES),
    "application/vnd.buildkit.cacheconfig.": Nature(_("BuildKit cache"), Group.CACHE),
    "application/vnd.sylabs.sif.": Nature(_("Singularity image"), Group.FILES),
    "application/vnd.ms.bicep.": Nature(_("Bicep module"), Group.FILES),
    "application/vnd.opentofu.": Nature(_("OpenTofu package"), Group.FILES),
    "application/vnd.unknown.": Nature(_("ORAS artifact"), Group.FILES),
    "application/vnd.oci.empty.": ARTIFACT,
}
# By the beginning of what an attestation states.
BY_PREDICATE: dict[str, Said] = {
    "https://spdx.dev/Document": _("SPDX SBOM"),
    "https://cyclonedx.org/": _("CycloneDX SBOM"),
    "https://slsa.dev/provenance": _("SLSA provenance"),
    "https://cosign.sigstore.dev/attestation/vuln": _("Vulnerability scan"),
    "https://openvex.dev/": _("VEX statement"),
}
# By how cosign names its tags, for what says nothing itself.
BY_SUFFIX: dict[str, Nature] = {
    ".sig": _SIGNATURE,
    ".att": _ATTESTATION,
    ".sbom": Nature(_("SBOM"), Group.ABOUT),
}


def nature(
    *,
    kind: str,
    artifact_type: str = "",
    config_type: str = "",
    layer_types: Iterable[str] = (),
    predicates: Iterable[str] = (),
    platforms: Iterable[str] = (),
    tag: str = "",
) -> Nature:
    """`kind` as of a Manifest; `artifact_type` its media type where it names no other; `platforms` those of an index,
    "" for an entry that names none; `tag` is the name it is looked at under, if that is a technical one.

    The most telling first: what is stated, the artifact's own type, its config's, its layers', its tag's.
    """
    if kind == "index":
        plain = REFERRERS if technical_subject(tag) else INDEX if any(platforms) else OCI_INDEX
        return _named([artifact_type]) or plain
    stated = _stated(predicates)
    if stated:
        return stated
    specific = _named([artifact_type, config_type, *layer_types])
    if specific and specific is not ARTIFACT:
        return specific
    by_tag = next((each for suffix, each in BY_SUFFIX.items() if _is_cosign(tag, suffix)), None)
    if by_tag:
        return by_tag
    return {"image": IMAGE, "artifact": ARTIFACT}.get(kind, UNKNOWN)


def _named(types: Iterable[str]) -> Nature | None:
    """The first that is known and is not merely "some artifact"."""
    found = _all(BY_TYPE, types)
    return next((each for each in found if each is not ARTIFACT), found[0] if found else None)


def _stated(predicates: Iterable[str]) -> Nature | None:
    """buildx puts the provenance and the SBOM of a platform into one manifest, a layer each."""
    words = list(dict.fromkeys(_all(BY_PREDICATE, predicates)))
    if not words:
        return None
    what = reduce(lambda most, last: _("%(most)s and %(last)s", most=most, last=last), words)
    return Nature(_("%(what)s (in-toto attestation)", what=what), Group.ABOUT)


def _all(table: dict[str, Told], texts: Iterable[str]) -> list[Told]:
    starts = [(start.lower(), told) for start, told in table.items()]
    return [told for text in texts for start, told in starts if text.lower().startswith(start)]


def _is_cosign(tag: str, suffix: str) -> bool:
    return tag.endswith(suffix) and technical_subject(tag) != ""
