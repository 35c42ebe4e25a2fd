"""What the sync remembers: repositories as the registry lists them, and its own runs."""

from django.db import models
from django.utils import timezone

from namespaces.models import Image


class Repository(models.Model):
    """A name in the registry's catalog. `image` is None while no account owns its namespace (unclaimed)."""

    name = models.CharField(max_length=255, unique=True)
    image = models.OneToOneField(Image, null=True, on_delete=models.SET_NULL, related_name="repository_row")
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    missing_since = models.DateTimeField(null=True)  # absent from one complete catalog; gone after the second
    problem = models.CharField(max_length=200, default="")  # why the last read of its tags failed

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """One walk over the registry: how far it is, and what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        INCOMPLETE = "incomplete"  # some repositories could not be read; nothing of them was changed
        FAILED = "failed"  # the catalog could not be read; nothing was changed

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_by = models.CharField(max_length=254, default="schedule")
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    repositories_total = models.PositiveIntegerField(default=0)
    repositories_done = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    changes = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"sync run {self.pk} ({self.state})"

    @property
    def percent(self) -> int:
        return 100 * self.repositories_done // self.repositories_total if self.repositories_total else 0


class Lease(models.Model):
    """One holder at a time of a named piece of work; a holder that died is succeeded when time is up.

    `token` fences: whoever writes under the lease checks that it still holds this token.
    """

    name = models.CharField(max_length=80, primary_key=True)
    token = models.BigIntegerField(default=0)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
