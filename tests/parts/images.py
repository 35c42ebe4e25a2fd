"""Tiny images made of nothing but bytes given here: the same input always has the same digests."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CREATED = "2026-01-02T03:04:05Z"

Json = dict[str, Any]


@dataclass(frozen=True)
class Blob:
    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def descriptor(self) -> Json:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


CACHE_CONFIG = Blob("application/vnd.buildkit.cacheconfig.v0", b'{"layers": [], "records": []}')


@dataclass(frozen=True)
class Image:
    """One image for one platform; each of `layers` maps a file's path to its content."""

    layers: Sequence[Mapping[str, bytes]] = ({"hello": b"hello\n"}, {"etc/motd": b"welcome\n"})
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Sequence[str] = ("PATH=/bin",)
    architecture: str = "amd64"
    system: str = "linux"

    @property
    def layer_blobs(self) -> list[Blob]:
        return [Blob(LAYER, gzip.compress(tar, mtime=0)) for tar in self.tars]

    @property
    def tars(self) -> list[bytes]:
        return [_tar(files) for files in self.layers]

    @property
    def config(self) -> Blob:
        history = [{"created": CREATED, "created_by": f"COPY {' '.join(files)} /"} for files in self.layers]
        return _json(
            CONFIG,
            {
                "architecture": self.architecture,
                "os": self.system,
                "created": CREATED,
                "config": {"Env": list(self.env), "Labels": dict(self.labels), "Cmd": ["/hello"]},
                "rootfs": {"type": "layers", "diff_ids": [Blob("", tar).digest for tar in self.tars]},
                "history": history,
            },
        )

    @property
    def manifest(self) -> Blob:
        layers = [blob.descriptor for blob in self.layer_blobs]
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.config.descriptor,
            "layers": layers,
        }
        return _json(MANIFEST, content)

    @cached_property
    def digest(self) -> str:
        return self.manifest.digest

    @cached_property
    def blobs(self) -> list[Blob]:
        """Everything a registry stores for it, in the order of a push: layers, config, manifest."""
        return [*self.layer_blobs, self.config, self.manifest]

    @property
    def platform(self) -> Json:
        return {"architecture": self.architecture, "os": self.system}


def index(images: Sequence[Image]) -> Blob:
    """The manifest that offers one image per platform."""
    return index_with([{**image.manifest.descriptor, "platform": image.platform} for image in images])


def index_of(*manifests: Blob) -> Blob:
    """Lists manifests of any kind, an index too."""
    return index_with([manifest.descriptor for manifest in manifests])


def cache_index(*layers: Blob) -> Blob:
    """As BuildKit exports its cache: an index of blobs, with CACHE_CONFIG as the last."""
    return index_of(*layers, CACHE_CONFIG)


def index_with(entries: Sequence[Json]) -> Blob:
    return _json(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


def two_platforms(**parts: Any) -> list[Image]:
    """The same image for linux/amd64 and linux/arm64; `parts` as for Image."""
    return [Image(architecture=architecture, **parts) for architecture in ("amd64", "arm64")]


def write_layout(folder: Path, *images: Image, tag: str = "latest") -> Path:
    """Write an OCI layout, for `skopeo copy oci:FOLDER:TAG`; several images make an index (`copy --all`)."""
    top = images[0].manifest if len(images) == 1 else index(images)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for blob in (top, *(blob for image in images for blob in image.blobs)):
        (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.content)
    entry = {**top.descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return folder


def write_docker_tar(file: Path, image: Image, *names: str) -> Path:
    """Write an archive for `docker load`, `podman load` and `ctr images import`; `names` as HOST/NAME:TAG."""
    config_name = f"{image.config.digest.removeprefix('sha256:')}.json"
    layers = {f"{number}/layer.tar": tar for number, tar in enumerate(image.tars)}
    manifest = [{"Config": config_name, "RepoTags": list(names), "Layers": list(layers)}]
    content = {config_name: image.config.content, **layers, "manifest.json": json.dumps(manifest).encode()}
    file.write_bytes(_tar(content))
    return file


def _json(media_type: str, content: Json) -> Blob:
    return Blob(media_type, json.dumps(content, indent=1, sort_keys=True).encode())


def _tar(files: Mapping[str, bytes]) -> bytes:
    """TarInfo's defaults are the fixed ones we want: owner 0, time 0."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()
