from django.db import models

from namespaces.models.derived import ValuePrefix
from namespaces.models.manifest import Manifest
from namespaces.search_query import LABEL_START_MAX


class Label(models.Model):
    """A label of an image's config, to be found by; `details` of the manifest hold it too, to be shown."""

    manifest = models.ForeignKey(Manifest, on_delete=models.CASCADE, related_name="labels", db_index=False)
    key = models.CharField(max_length=200)
    value = models.TextField()
    value_prefix = ValuePrefix(max_length=LABEL_START_MAX, default="", editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["manifest", "key"], name="label_once")]
        indexes = [models.Index(fields=["value_prefix", "manifest"], name="label_by_prefix")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
