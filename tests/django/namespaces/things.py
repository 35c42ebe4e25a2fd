"""Manifests as a sync would store them: read from real documents by the real parser."""

import hashlib
import json
import zlib
from typing import Any

from namespaces.models import Descriptor, Image, Manifest, RepositoryManifest, Tag
from registry_sync.inventory.parser import IMAGE_CONFIGS, parse, with_config
from tests import factories

MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
EVIL = "<script>alert(1)</script>"


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def put(image: Image, document: Any, *, tag: str = "", config: Any = None, **fields: Any) -> Manifest:
    """`document` is JSON, or the very bytes. With `tag` that tag points at it."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    media_type = fields.pop("media_type", INDEX if b'"manifests"' in body else MANIFEST)
    parsed = parse(body, media_type, digest=digest_of(body))
    if config is not None:
        parsed = with_config(parsed, json.dumps(config).encode())
    platforms = [{**each, "size": each["size"] or 0} for each in parsed.platforms]
    row = Manifest(
        digest=digest_of(body), media_type=media_type, artifact_type=parsed.artifact_type, kind=parsed.kind,
        size=parsed.size, platforms=platforms, details=parsed.details, subject=parsed.subject,
        body_zlib=zlib.compress(body), **fields,
    )  # fmt: skip
    row.save()
    Descriptor.objects.bulk_create(
        [
            Descriptor(manifest=row, kind=part.kind, digest=part.digest, size=part.size)
            for part in parsed.parts
        ]
    )
    RepositoryManifest.objects.create(image=image, manifest=row)
    if tag:
        point(image, tag, row)
    return row


def point(image: Image, tag: str, manifest: Manifest) -> Tag:
    found: Tag = factories.TagFactory(image=image, name=tag, manifest=manifest)
    return found


def descriptor(
    text: str, size: int = 100, media_type: str = "application/vnd.oci.image.layer.v1.tar"
) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(text.encode()), "size": size}


def image_document(*layers: str, config_type: str = IMAGE_CONFIGS[0], **more: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "config": descriptor(f"config {layers} {more}", 10, config_type),
        "layers": [descriptor(each) for each in layers],
        **more,
    }


def image_config(*commands: str, architecture: str = "amd64", **settings: Any) -> dict[str, Any]:
    return {
        "os": "linux",
        "architecture": architecture,
        "config": settings,
        "history": [{"created_by": command} for command in commands],
    }


def index_document(*children: tuple[Manifest, str], **more: Any) -> dict[str, Any]:
    """(manifest, "linux/amd64"); "" for an entry without a platform."""

    def entry(child: Manifest, platform: str) -> dict[str, Any]:
        system, _slash, architecture = platform.partition("/")
        where = {"platform": {"os": system, "architecture": architecture}} if platform else {}
        return {"mediaType": MANIFEST, "digest": child.digest, "size": 1} | where

    return {"schemaVersion": 2, "manifests": [entry(*child) for child in children], **more}
