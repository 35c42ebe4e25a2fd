from django.db import models
from django.utils import timezone

from accounts.models.lazy_text_field import LazyTextField
from namespaces.models import Image


class Repository(models.Model):
    """A name in the registry's catalog. `image` is None while no account owns its namespace (unassigned).

    `version` counts what was written of its tags: who read while it stood at another number must not write.
    """

    name = models.CharField(max_length=255, unique=True)
    image = models.OneToOneField(Image, null=True, on_delete=models.SET_NULL, related_name="repository_row")
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    missing_since = models.DateTimeField(null=True)  # absent from one complete catalog; gone after the second
    problem = LazyTextField(default="")  # why the last read of its tags failed
    # So many times in a row, up to FAILURES_MAX; then it is read among the others, and asked once.
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Tags that would have vanished at once with others; they stay until an operator agrees.
    tags_needing_approval = models.PositiveIntegerField(default=0, db_default=0)
    version = models.PositiveIntegerField(default=0)
    last_viewed_at = models.DateTimeField(null=True)  # its page, by anybody: such are read first

    FAILURES_MAX = 5

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["image"], name="repository_troubled", condition=~models.Q(problem="")),
        ]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name
