from datetime import UTC, datetime
from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from namespaces.models.derived import NaturalKey, Stem, Technical
from namespaces.models.image import Image
from namespaces.models.manifest import Manifest, kind_in_lists
from namespaces.natural_sort import KEY_MAX

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a moment, and not NULL, so that lists can be paged by it


class Tag(models.Model):
    """A name in an image that points at a manifest now. Only the sync writes here."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=128)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="tags", db_index=False)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    pushed_at = models.DateTimeField()  # when it was first seen to point where it points
    # Username, as the registry's event told; "" unknown.
    pushed_by = models.CharField(max_length=40, default="")
    pulled_at = models.DateTimeField(default=NEVER)
    pull_count = models.PositiveBigIntegerField(default=0)
    missing_since = models.DateTimeField(null=True)  # absent from one complete list; gone after the second
    unreadable_since = models.DateTimeField(null=True)  # it is there, but since then it could not be read
    # For lists, so that each order is one index: the natural order, the manifest's size, hidden or not.
    sort_key = NaturalKey(max_length=KEY_MAX, default="", editable=False)
    size = models.BigIntegerField(default=0)
    technical = Technical(default=False, editable=False)
    stem = Stem(max_length=80, default="", db_default="", editable=False)

    # Only where a query annotates them: the pusher's description, and the digest that its last push replaced.
    pusher: str | None
    moved_from: str | None

    NEWEST_FIRST: ClassVar = ("-pushed_at", "-id")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["image", "name"], name="tag_once")]
        indexes = [
            models.Index(fields=["image", "technical", "-pushed_at", "-id"], name="tag_by_push"),
            models.Index(fields=["image", "technical", "sort_key", "id"], name="tag_by_name"),
            models.Index(fields=["image", "technical", "-size", "-id"], name="tag_by_size"),
            models.Index(fields=["image", "technical", "-pulled_at", "-id"], name="tag_by_pull"),
            models.Index(fields=["image", "manifest"], name="tag_by_manifest"),
            models.Index(fields=["image", "stem"], name="tag_by_stem", condition=models.Q(technical=True)),
            # Named, as that of every digest: for a text key Django makes another by itself, to be found by LIKE.
            models.Index(fields=["manifest"], name="tag_of_manifest"),
        ]

    def __str__(self) -> str:
        return f"{self.image}:{self.name}"

    @property
    def what(self) -> str:
        """What it is called in lists, which do not fetch what is inside."""
        return kind_in_lists(self.manifest, self.name).label

    @property
    def last_pulled_at(self) -> datetime | None:
        return None if self.pulled_at == NEVER else self.pulled_at

    def get_absolute_url(self) -> str:
        image = self.image
        return reverse(
            "tag", args=[image.namespace.account.handle, image.namespace.name, image.name, self.name]
        )
