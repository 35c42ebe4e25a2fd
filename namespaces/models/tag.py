from django.db import models
from django.urls import reverse
from django.utils import timezone

from namespaces.models.image import Image
from namespaces.models.manifest import Manifest


class Tag(models.Model):
    """A name in an image that points at a manifest now. Only the sync writes here."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="tags")
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    pushed_at = models.DateTimeField()  # when it was first seen to point where it points
    missing_since = models.DateTimeField(null=True)  # absent from one complete list; gone after the second

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["image", "name"], name="tag_once")]
        indexes = [models.Index(fields=["image", "-pushed_at", "-id"], name="tag_by_push")]

    def __str__(self) -> str:
        return f"{self.image}:{self.name}"

    def get_absolute_url(self) -> str:
        image = self.image
        return reverse(
            "tag", args=[image.namespace.account.handle, image.namespace.name, image.name, self.name]
        )
