from django.db import models
from django.utils import timezone


class Manifest(models.Model):
    """A manifest, known by its digest and never changing. Rows are reached through a tag of an image the
    reader may see, never by digest alone: the digest of another's image is no key to it."""

    digest = models.CharField(max_length=140, primary_key=True)
    media_type = models.CharField(max_length=120)
    artifact_type = models.CharField(max_length=120, default="")
    kind = models.CharField(max_length=10)  # image, index, artifact, unknown
    # Bytes a client downloads: config and layers, of all platforms for an index.
    size = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(null=True)  # as the image's config says
    # [{"platform": "linux/amd64", "digest": "sha256:…", "size": 123}], one entry for a plain image.
    platforms = models.JSONField(default=list)
    # Of a plain image: {"layers": [{"digest","size","media_type"}], "config": {...}, "history": [...],
    # "annotations": {...}}; shapes in registry_sync/sync/manifests.py.
    details = models.JSONField(default=dict)
    fetched_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.digest
