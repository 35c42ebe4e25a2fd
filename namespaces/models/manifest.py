import zlib
from typing import Any, Protocol

from django.db import models
from django.utils import timezone

from namespaces.image_description import DESCRIPTION_MAX
from namespaces.media_types import ArtifactKind, Group, artifact_kind
from namespaces.models.derived import Description


class ManifestSummary(Protocol):
    """What lists know of a manifest, which do not fetch what is inside."""

    @property
    def kind(self) -> str: ...
    @property
    def artifact_type(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def platforms(self) -> list[dict[str, Any]]: ...


def kind_in_lists(manifest: ManifestSummary, tag: str = "") -> ArtifactKind:
    return artifact_kind(
        kind=manifest.kind,
        artifact_type=manifest.artifact_type or manifest.media_type,
        platforms=[each["platform"] for each in manifest.platforms],
        tag=tag,
    )


def named_platforms(manifest: ManifestSummary) -> list[str]:
    """Return those of an index, or of an image, that say which they are; none of what is no image."""
    if kind_in_lists(manifest).group is not Group.RUNS:
        return []
    return [each["platform"] for each in manifest.platforms if each["platform"]]


class Manifest(models.Model):
    """A manifest, known by its digest and never changing.

    Rows are reached through an image that the reader may see, never by digest alone: the digest of another's image is
    no key to it.
    """

    digest = models.CharField(max_length=140, primary_key=True)
    media_type = models.CharField(max_length=120)
    artifact_type = models.CharField(max_length=120, default="")
    kind = models.CharField(max_length=10)  # image, index, artifact, unknown
    # Bytes a client downloads: config and layers, of all platforms for an index.
    size = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(null=True)  # as the image's config says
    # [{"platform": "linux/amd64", "digest": "sha256:…", "size": 123}], one entry for a plain image.
    platforms = models.JSONField(default=list)
    # {"layers": [{"digest","size","media_type","command"}], "config": {...}, "annotations": {...}, ...}, made by
    # registry_sync/inventory/parser.py, read by namespaces/manifests/details.py.
    details = models.JSONField(default=dict)
    description = Description(max_length=DESCRIPTION_MAX, default="", db_default="", editable=False)
    # The digest it is about: of a signature, an SBOM.
    subject = models.CharField(max_length=140, default="")
    body_zlib = models.BinaryField(default=b"")  # the body as the registry sent it, zlib; empty when too long
    # Its own length as the registry sent it; None until the worker has counted those of an older build.
    body_bytes = models.PositiveIntegerField(null=True, editable=False)
    fetched_at = models.DateTimeField(default=timezone.now, editable=False)
    # False: its config did not come, from anywhere.
    complete = models.BooleanField(default=True, db_default=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="manifest_by_subject"),
            models.Index(fields=["digest"], name="manifest_unknown", condition=models.Q(kind="unknown")),
            models.Index(fields=["digest"], name="manifest_unweighed", condition=models.Q(body_bytes=None)),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def words(self) -> str:
        return kind_in_lists(self).label

    @property
    def body(self) -> bytes:
        """The exact bytes behind the digest; b"" when they were not kept."""
        return zlib.decompress(self.body_zlib) if self.body_zlib else b""


class Descriptor(models.Model):
    """What a manifest names by digest: its config and layers, or the manifests of an index."""

    class Kind(models.TextChoices):
        CONFIG = "config"
        LAYER = "layer"
        MANIFEST = "manifest"

    manifest = models.ForeignKey(
        Manifest, on_delete=models.CASCADE, related_name="descriptors", db_index=False
    )
    digest = models.CharField(max_length=140)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    size = models.BigIntegerField(default=0)  # bytes, as the manifest claims

    class Meta:
        constraints = [models.UniqueConstraint(fields=["manifest", "digest"], name="descriptor_once")]
        indexes = [models.Index(fields=["digest"], name="descriptor_by_digest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest}"
