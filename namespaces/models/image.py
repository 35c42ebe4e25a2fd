from datetime import datetime

from django.db import models
from django.urls import reverse
from django.utils import timezone

from namespaces.image_description import DESCRIPTION_MAX
from namespaces.models.namespace import Namespace
from namespaces.models.stored_bytes import StoredBytes
from namespaces.names import REPOSITORY_MAX

# What lists show: a name alone is no image.
HAS_CONTENT = models.Q(tag_count__gt=0) | models.Q(untagged_count__gt=0)


class Image(StoredBytes):
    """A repository inside a namespace, as the registry last told it.

    Only the sync writes here, but for `own_description`.
    """

    namespace = models.ForeignKey(Namespace, on_delete=models.PROTECT, related_name="images")
    name = models.CharField(max_length=REPOSITORY_MAX)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    # Counted when the tags are written, so that a list of images never counts (a count over 200,000 costs).
    tag_count = models.PositiveIntegerField(default=0, editable=False)
    # Manifests held of an image that never had a tag: pushed by digest alone.
    untagged_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    size = models.BigIntegerField(default=0, editable=False)  # bytes, compressed, of the newest tag
    latest_tag = models.CharField(max_length=128, default="", editable=False)
    pushed_at = models.DateTimeField(null=True, editable=False)
    # Written by a member; "": none, and the image's own is shown.
    own_description = models.CharField(max_length=DESCRIPTION_MAX, default="", db_default="")
    # What the newest tag's image says of itself.
    pushed_description = models.CharField(
        max_length=DESCRIPTION_MAX, default="", db_default="", editable=False
    )
    # The newest TagHistoryEntry's id, so that an open page of a whole account asks one index for what is new.
    newest_history_id = models.BigIntegerField(default=0, db_default=0, editable=False)

    readme_text: str | None = None  # only through selectors.images_with_readme
    counted_at: datetime | None = None  # as well

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["namespace", "name"], name="image_once")]
        indexes = [
            models.Index(fields=["namespace", "-pushed_at", "-id"], name="image_by_push"),
            models.Index(fields=["namespace", "-newest_history_id"], name="image_by_history"),
        ]

    def __str__(self) -> str:
        return self.repository

    @property
    def repository(self) -> str:
        """As the registry knows it: namespace/name."""
        return f"{self.namespace.name}/{self.name}"

    @property
    def description(self) -> str:
        return self.own_description or self.pushed_description

    def get_absolute_url(self) -> str:
        return reverse("image", args=[self.namespace.account.handle, self.namespace.name, self.name])
