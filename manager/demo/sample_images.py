"""Tiny images: a real config, real layers, a few bytes each."""

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from manager.demo.push_client import CONFIG, INDEX, LAYER, MANIFEST, Pusher

CREATED = "2026-05-04T09:30:00Z"


@dataclass(frozen=True)
class SampleImage:
    """One image to push; with several `platforms` an index of them."""

    name: str
    tags: Sequence[str]
    files: Sequence[str] = ("app",)
    platforms: Sequence[str] = ("linux/amd64",)
    labels: dict[str, str] = field(default_factory=dict)


def push(pusher: Pusher, sample: SampleImage) -> dict[str, Any]:
    """One version under each tag; all tags after the first twenty share the last one's image.

    Return the descriptor of the last.
    """
    last: dict[str, Any] = {}
    for number, tag in enumerate(sample.tags[:20]):
        tags = [tag] if number < 19 else list(sample.tags[19:])  # noqa: PLR2004
        last = _push_version(pusher, sample, tags, str(number))
    return last


def _push_version(pusher: Pusher, sample: SampleImage, tags: list[str], version: str) -> dict[str, Any]:
    made = [_image(pusher, sample, platform, version) for platform in sample.platforms]
    if len(made) == 1:
        return pusher.manifest(made[0], *tags)
    children = []
    for platform, manifest in zip(sample.platforms, made, strict=True):
        system, architecture = platform.split("/")
        where = {"os": system, "architecture": architecture}
        children.append(pusher.manifest(manifest) | {"platform": where})
    return pusher.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, *tags)


def _image(pusher: Pusher, sample: SampleImage, platform: str, version: str) -> dict[str, Any]:
    system, architecture = platform.split("/")
    layers = [_tar(name, f"{sample.name} {version} {platform}\n" * 40) for name in sample.files]
    config = {
        "os": system,
        "architecture": architecture,
        "created": CREATED,
        "config": {
            "Entrypoint": ["/app"],
            "Cmd": ["serve"],
            "Env": ["PATH=/usr/bin:/bin", f"VERSION={version}"],
            "ExposedPorts": {"8080/tcp": {}},
            "Labels": sample.labels,
        },
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created": CREATED, "created_by": f"COPY {name} / # buildkit"} for name in sample.files],
    }
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": pusher.blob(CONFIG, json.dumps(config).encode()),
        "layers": [pusher.blob(LAYER, layer) for layer in layers],
        "annotations": {"org.opencontainers.image.title": sample.name},
    }


def _tar(name: str, text: str) -> bytes:
    buffer, content = io.BytesIO(), text.encode()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)
