"""What a manifest and its config say, in the shapes the pages show. PURE, and wary: anybody may push any JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from accounts.common.json_fields import read_mapping, read_mappings, read_moment, read_text
from namespaces.media_types import bundle_predicate, non_image_layer_type
from namespaces.names import DIGEST
from registry_sync.inventory.go_json import (
    Basic,
    GoDecodeError,
    Pointer,
    Shape,
    Slice,
    Struct,
    decode,
    decode_any,
)

CHILDREN_MAX = 200
TOTAL_MAX = 2**62
SIZE_MAX = 2**40  # bytes a layer may claim: anybody may write any number, and sums go into 64 bits
LAYERS_MAX = 500
ENTRIES_MAX = 200
TEXT_MAX = 2000
CONFIG_MAX = 512 * 1024
BODY_KEPT_MAX = 1024 * 1024  # bytes of a manifest that are kept, to be shown raw or pushed again
FIRST_YEAR, LAST_YEAR = 1970, 9998

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"
# What an index lists of another type is a blob, as in BuildKit's cache; none said may be a manifest.
MANIFESTS = (
    *INDEXES,
    *IMAGES,
    f"{SCHEMA_1}json",
    f"{SCHEMA_1}prettyjws",
    "",
)
CACHE_CONFIG = "application/vnd.buildkit.cacheconfig."
IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
NO_PLATFORM = "unknown/unknown"  # as buildx writes for attestations
# What annotations of a layer are kept: a file's name, and what an attestation states.
LAYER_ANNOTATIONS = {
    "title": ("org.opencontainers.image.title", "org.cncf.model.filepath"),
    "predicate": ("in-toto.io/predicate-type", "predicateType"),
}
# As OCI's specs-go/v1 declares them, which clients of the registry read into.
_PLATFORM = Struct({
    "architecture": Basic.TEXT, "os": Basic.TEXT, "os.version": Basic.TEXT, "os.features": Slice(Basic.TEXT),
    "variant": Basic.TEXT,
})  # fmt: skip
_DESCRIPTOR = Struct({
    "mediaType": Basic.TEXT, "digest": Basic.TEXT, "size": Basic.WHOLE, "urls": Slice(Basic.TEXT),
    "annotations": Basic.TEXTS, "data": Basic.OCTETS, "platform": Pointer(_PLATFORM), "artifactType": Basic.TEXT,
})  # fmt: skip
_COMMON: dict[str, Shape] = {
    "schemaVersion": Basic.WHOLE,
    "mediaType": Basic.TEXT,
    "artifactType": Basic.TEXT,
    "subject": Pointer(_DESCRIPTOR),
    "annotations": Basic.TEXTS,
}
IMAGE = Struct({**_COMMON, "config": _DESCRIPTOR, "layers": Slice(_DESCRIPTOR)})
INDEX = Struct({**_COMMON, "manifests": Slice(_DESCRIPTOR)})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Something a manifest names by digest; mirrors namespaces.models.Descriptor."""

    kind: str  # config, layer, manifest
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class ParsedManifest:
    """A manifest as read; mirrors namespaces.models.Manifest, which is a manifest as stored.

    `config` is the digest of a config that is still to be read ("" without one). `complete`: nothing of it is missing.
    """

    kind: str  # image, artifact, index, unknown
    media_type: str
    digest: str = ""
    size: int = 0  # bytes of its blobs
    artifact_type: str = ""
    config: str = ""
    config_type: str = ""
    created_at: datetime | None = None  # as annotated; a config knows better
    platforms: list[dict[str, Any]] = field(default_factory=list)
    parts: tuple[Descriptor, ...] = ()
    subject: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""  # b"" also for one that is too long to be kept
    body_bytes: int = 0
    complete: bool = True

    @property
    def child_digests(self) -> list[str]:
        """Of the manifests that an index lists."""
        return [part.digest for part in self.parts if part.kind == "manifest"]


@dataclass(frozen=True, slots=True)
class ParsedConfig:
    """What an image's or a chart's config adds."""

    platform: str
    created_at: datetime | None
    details: dict[str, Any]


def parse(body: bytes, media_type: str, *, digest: str = "") -> ParsedManifest:
    """Never raises: what the decoders of registries and clients would not take is of kind "unknown".

    The type that the registry gives it says how it is read, whatever else is in it: only of an index has the registry
    checked that the repository holds what it lists.
    """
    kept = body if len(body) <= BODY_KEPT_MAX else b""
    return replace(_parse(body, media_type), digest=digest, body=kept, body_bytes=len(body))


def with_config(manifest: ParsedManifest, config: bytes | None) -> ParsedManifest:
    """Return the manifest with what its config says. `config` is None when it could not be read: try again later."""
    parsed = parse_config(config or b"", manifest.config_type, manifest.details.get("layers", []))
    platform = {"platform": parsed.platform, "digest": manifest.digest, "size": manifest.size}
    return replace(
        manifest,
        created_at=parsed.created_at or manifest.created_at,
        platforms=[platform] if parsed.platform else [],
        details={**manifest.details, **parsed.details},
        complete=config is not None,
    )


def _parse(body: bytes, media_type: str) -> ParsedManifest:
    try:
        if media_type in INDEXES:
            return _parse_index(decode(body, INDEX), media_type)
        if media_type in IMAGES:
            return _parse_image(decode(body, IMAGE), media_type)
    except GoDecodeError:
        pass
    return ParsedManifest("unknown", media_type, size=len(body), details={"annotations": {}})


def annotated_created_at(details: Mapping[str, Any]) -> datetime | None:
    return _moment(read_mapping(details.get("annotations")).get("org.opencontainers.image.created"))


def parse_config(body: bytes, config_type: str, layers: list[dict[str, Any]]) -> ParsedConfig:
    """Read the config of an image, whose `layers` come back with the commands that made them, or of a Helm chart."""
    document = _load(body)
    if config_type == CHART_CONFIG:
        return ParsedConfig("", None, {"chart": _chart(document)})
    settings, history = read_mapping(document.get("config")), read_mappings(document.get("history"))
    platform = _platform(document)
    details = {
        "layers": _with_commands(layers, history),
        "config": {
            "entrypoint": _list(settings.get("Entrypoint")),
            "cmd": _list(settings.get("Cmd")),
            "env": _list(settings.get("Env")),
            "ports": sorted(
                _text(port, 40) for port in islice(read_mapping(settings.get("ExposedPorts")), ENTRIES_MAX)
            ),
            "user": _text(settings.get("User")),
            "workdir": _text(settings.get("WorkingDir")),
            "labels": _texts(settings.get("Labels")),
        },
    }
    return ParsedConfig(
        "" if platform == NO_PLATFORM else platform, _moment(document.get("created")), details
    )


def _chart(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Chart.yaml says, under its own names."""
    words = ("name", "version", "appVersion", "type", "kubeVersion", "description", "home")
    return {key: text for key in words if (text := _text(document.get(key)))} | {
        "keywords": _list(document.get("keywords")),
        "sources": _list(document.get("sources")),
        "maintainers": [
            _text(each.get("name")) for each in read_mappings(document.get("maintainers"))[:ENTRIES_MAX]
        ],
        "dependencies": [
            {key: _text(each.get(key)) for key in ("name", "version", "repository")}
            for each in read_mappings(document.get("dependencies"))[:ENTRIES_MAX]
        ],
    }


def _parse_index(document: Mapping[str, Any], media_type: str) -> ParsedManifest:
    annotations = _texts(document.get("annotations"))
    every = [(_kind(each), each) for each in read_mappings(document.get("manifests"))]
    # All of them, beyond what is read and shown: what an index lists must not be deleted.
    parts = _parts(sorted(every, key=lambda each: each[0] == "manifest"))
    listed = [each for kind, each in every if kind == "manifest"][:CHILDREN_MAX]
    layers = [_layer(each) for kind, each in every if kind == "layer"][:LAYERS_MAX]
    cache = next((_type(each) for kind, each in every if kind == "config"), "")
    attached = [
        {"digest": _digest(each), "subject": _attested(each)} for each in listed if not _is_platform(each)
    ]
    return ParsedManifest(
        kind="index",
        media_type=media_type,
        size=_blob_bytes(parts),
        artifact_type=_text(document.get("artifactType"), 120) or cache,
        platforms=[_child(each) for each in listed if _is_platform(each)],
        parts=parts,
        created_at=_moment(annotations.get("org.opencontainers.image.created")),
        subject=_digest(read_mapping(document.get("subject"))),
        details={"annotations": annotations}
        | ({"attestations": attached} if attached else {})
        | ({"layers": layers} if layers else {})
        | _total_if_cut("entries", sum(kind == "manifest" for kind, _each in every), CHILDREN_MAX)
        | _total_if_cut("layers", sum(kind == "layer" for kind, _each in every), LAYERS_MAX),
    )


def _parse_image(document: Mapping[str, Any], media_type: str) -> ParsedManifest:
    config, layers = document.get("config") or {}, document.get("layers") or []
    annotations = _texts(document.get("annotations"))
    config_type = _text(config.get("mediaType"), 120)
    borrows = config_type in IMAGE_CONFIGS
    other = non_image_layer_type(_type(each) for each in layers[:LAYERS_MAX]) if borrows else ""
    is_image = borrows and not other
    parts = _parts([("config", config), *(("layer", each) for each in layers)])
    is_read = is_image or config_type == CHART_CONFIG
    return ParsedManifest(
        kind="image" if is_image else "artifact",
        media_type=media_type,
        size=_blob_bytes(parts),
        artifact_type="" if is_image else _text(document.get("artifactType"), 120) or other or config_type,
        config=_digest(config) if is_read and _size(config) <= CONFIG_MAX else "",
        config_type=config_type,
        created_at=_moment(annotations.get("org.opencontainers.image.created")),
        parts=parts,
        subject=_digest(read_mapping(document.get("subject"))),
        details={
            "layers": [_layer(each) for each in layers[:LAYERS_MAX]],
            "annotations": annotations,
            "config_type": config_type,
        }
        | ({"by_sha512": True} if any(part.digest.startswith("sha512:") for part in parts) else {})
        | _total_if_cut("layers", len(layers), LAYERS_MAX)
        | _total_if_cut("config", _size(config) if is_read else 0, CONFIG_MAX),
    )


def _total_if_cut(what: str, there: int, most: int) -> dict[str, int]:
    """How much there is of what is not read to its end."""
    return {f"all_{what}": there} if there > most else {}


def _layer(entry: Mapping[str, Any]) -> dict[str, Any]:
    annotations = read_mapping(entry.get("annotations"))
    notes = {
        name: text
        for name, keys in LAYER_ANNOTATIONS.items()
        if (text := next(filter(None, (_text(annotations.get(key), 300) for key in keys)), ""))
    }
    return {
        "digest": _digest(entry),
        "size": _size(entry),
        "media_type": _text(entry.get("mediaType"), 120),
        **notes,
        **({"elsewhere": True} if entry.get("urls") else {}),
    }


def _parts(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Descriptor, ...]:
    """Return each digest once: an image may have the same (empty) layer many times, and the registry keeps it once.

    A layer that is to be fetched elsewhere (`urls`) is not held here.
    """
    here = ((kind, entry) for kind, entry in entries if kind != "layer" or not entry.get("urls"))
    found = {each: (kind, _size(entry)) for kind, entry in here if (each := _digest(entry))}
    return tuple(Descriptor(kind, digest, size) for digest, (kind, size) in found.items())


def _blob_bytes(parts: Iterable[Descriptor]) -> int:
    """Of the blobs; what a listed manifest weighs is its own to say."""
    return min(sum(part.size for part in parts if part.kind != "manifest"), TOTAL_MAX)


def _digest(entry: Mapping[str, Any]) -> str:
    digest = _text(entry.get("digest"), 140)
    return digest if DIGEST.fullmatch(digest) else ""


def _kind(entry: Mapping[str, Any]) -> str:
    """Of what an index lists."""
    if _type(entry) in MANIFESTS:
        return "manifest"
    return "config" if _type(entry).startswith(CACHE_CONFIG) else "layer"


def _type(entry: Mapping[str, Any]) -> str:
    return _text(entry.get("mediaType"), 120)


def _attested(entry: Mapping[str, Any]) -> str:
    return _digest({"digest": read_mapping(entry.get("annotations")).get("vnd.docker.reference.digest")})


def _is_platform(entry: Mapping[str, Any]) -> bool:
    """Return False for the attestations that buildx hangs into an index as platform unknown/unknown: nothing to run."""
    kind = read_mapping(entry.get("annotations")).get("vnd.docker.reference.type")
    return kind != "attestation-manifest"


def _child(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a listed manifest. Its size follows from its own manifest (index_totals.py)."""
    child: dict[str, Any] = {
        "digest": _digest(entry),
        "platform": _platform(read_mapping(entry.get("platform"))),
        "size": None,
    }
    # What a list of referrers says of each.
    kind = _text(entry.get("artifactType"), 120)
    states = bundle_predicate(
        {key: _text(each, 300) for key, each in read_mapping(entry.get("annotations")).items()}
    )
    return child | ({"artifact_type": kind} if kind else {}) | ({"states": states} if states else {})


def _platform(said: Mapping[str, Any]) -> str:
    """As containerd writes it: linux/arm64/v8; windows(10.0.20348)/amd64, of which one image has several."""
    system, machine, variant = (_text(said.get(key), 40) for key in ("os", "architecture", "variant"))
    version = _text(said.get("os.version"), 40)
    system += f"({version})" if system and version else ""
    return "/".join(filter(None, (system, machine, variant)))


def _with_commands(layers: list[dict[str, Any]], history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the layers with their commands: a history line that is not marked empty made the next layer, in order."""
    commands = [_text(each.get("created_by")) for each in history if each.get("empty_layer") is not True]
    padded = commands + [""] * len(layers)
    return [{**layer, "command": command} for layer, command in zip(layers, padded, strict=False)]


def _load(body: bytes) -> dict[str, Any]:
    try:
        document = decode_any(body)
    except GoDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _size(entry: Mapping[str, Any]) -> int:
    size: int = entry.get("size") or 0
    return size if 0 <= size < SIZE_MAX else 0


def _moment(value: Any) -> datetime | None:
    """None also for the year 1, which is how Go writes "no time", and which has no hour in the Americas."""
    moment = read_moment(value)
    return moment if moment and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _text(value: Any, most: int = TEXT_MAX) -> str:
    return read_text(value, most)


def _texts(value: Any) -> dict[str, str]:
    pairs = islice(read_mapping(value).items(), ENTRIES_MAX)
    return {_text(key, 200): _text(text) for key, text in pairs}


def _list(value: Any) -> list[str]:
    return [_text(each) for each in value[:ENTRIES_MAX]] if isinstance(value, list) else []
