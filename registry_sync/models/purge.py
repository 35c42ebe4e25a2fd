from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.models.lazy_text_field import LazyTextField
from namespaces.models import Image, Namespace


class Purge(models.Model):
    """A request to delete an image with all in it, several images of a namespace (`chosen`), or the namespace with all.

    It becomes one removal for each image. `cutoffs`: what was there when it was requested; what came since stays.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        EMPTIED = "emptied"  # the namespace is empty, and is deleted at `ends_at`
        RESTORING = "restoring"  # what was deleted is pushed again
        DONE = "done"
        PARTIAL = "partial"
        FAILED = "failed"
        RESTORED = "restored"

    OPEN = (State.WAITING, State.RESTORING)

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="purges")
    image = models.ForeignKey(Image, null=True, on_delete=models.CASCADE, related_name="purges")
    # How many images were selected, if several; `cutoffs` has them.
    chosen = models.PositiveIntegerField(default=0, db_default=0)
    # {image's key: [newest TagHistoryEntry's id, newest RepositoryManifest's id]}
    cutoffs = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    requested_by = models.CharField(max_length=254)
    requested_by_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=45, default="")
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    # When every image had its removal. Until then each attempt is counted before it is started.
    planned_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)  # manifests that stay, because something newer needs them
    restoring_since = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    problem = LazyTextField(default="")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"],
                name="purge_open",
                condition=models.Q(state__in=["waiting", "restoring", "emptied"]),
            ),
        ]

    def __str__(self) -> str:
        if self.image:
            return self.image.repository
        if not self.chosen:
            return self.namespace.name
        words = ngettext("%(n)s image of %(namespace)s", "%(n)s images of %(namespace)s", self.chosen)
        return words % {"n": intcomma(self.chosen), "namespace": self.namespace.name}

    @classmethod
    def recent(cls, *, ended_since: Any, restored_since: Any) -> Q:
        """Return what is open or ended lately, for the pages of what it is about."""
        ended = Q(finished_at__gte=ended_since)
        ended &= ~Q(state=cls.State.RESTORED) | Q(finished_at__gte=restored_since)
        return Q(state__in=[*cls.OPEN, cls.State.EMPTIED]) | ended

    @staticmethod
    def recent_since(now: datetime) -> dict[str, datetime]:
        """Return the moments of `recent`. After a restore everything is as before, and nobody has to do anything."""
        return {"ended_since": now - timedelta(days=1), "restored_since": now - timedelta(hours=1)}

    @property
    def of_namespace(self) -> bool:
        return not self.image_id and not self.chosen
