from django.db import models
from django.utils import timezone

from accounts.models.lazy_text_field import LazyTextField


class Event(models.Model):
    """A notification from the registry, stored before anything is done about it. In order of arrival by `id`.

    What is due is here and not in the broker. First it is applied (`applied_at`); what it said of a tag is then
    asked of the registry once more, when `due_at` has come again.
    """

    event_id = models.CharField(max_length=100, unique=True)
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    at = models.DateTimeField(null=True)  # when the registry says it happened
    method = models.CharField(max_length=10, default="", db_default="")  # of the request; HEAD only looks
    action = models.CharField(max_length=20, default="")
    repository = models.CharField(max_length=255, default="")
    namespace = models.CharField(
        max_length=255, default="", db_default="", editable=False
    )  # of the repository
    tag = models.CharField(max_length=128, default="")
    digest = models.CharField(max_length=140, default="")
    actor = models.CharField(max_length=64, default="")
    media_type = models.CharField(max_length=120, default="")
    address = models.CharField(max_length=64, default="")
    client = models.CharField(max_length=200, default="")
    raw = models.TextField(default="")  # as it came, cut at a bound
    applied_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now, null=True)  # None: all done, or given up
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = LazyTextField(default="")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at", "id"], name="event_due", condition=~models.Q(due_at=None)),
            models.Index(
                fields=["namespace", "id"], name="event_due_of_each", condition=~models.Q(due_at=None)
            ),
            models.Index(fields=["id"], name="event_failed", condition=~models.Q(problem="")),
            models.Index(fields=["received_at"], name="event_received"),
            models.Index(
                fields=["repository", "digest", "at"], name="event_pulled", condition=models.Q(action="pull")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.repository}:{self.tag or self.digest}"
