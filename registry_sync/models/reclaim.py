from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.lazy_text_field import LazyTextField


class Reclaim(models.Model):
    """A garbage collection of the registry, by `manage.py reclaim`: what was promised, and what came of it."""

    class State(models.TextChoices):
        PREPARING = "preparing", _("Waiting for pushes to end")
        READ_ONLY = "read_only", _("Making the registry read-only")
        COLLECTING = "collecting", _("Collecting garbage")
        WRITABLE = "writable", _("Making the registry writable")
        CHECKING = "checking", _("Checking that nothing is missing")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    OPEN = (State.PREPARING, State.READ_ONLY, State.COLLECTING, State.WRITABLE, State.CHECKING)

    state = models.CharField(max_length=10, choices=State.choices)
    requested_by = models.CharField(max_length=254)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    promised_bytes = models.BigIntegerField(default=0)
    promised_blobs = models.PositiveIntegerField(default=0)
    collected_at = models.DateTimeField(null=True)  # when it began, and the registry took no more writes
    freed_bytes = models.BigIntegerField(null=True)  # None: nobody measured
    # What images need and the registry has not: manifests, layers and configs; None: nobody looked.
    missing = models.PositiveIntegerField(null=True)
    missing_named = models.JSONField(default=list)  # the first of them, as repository@digest
    problem = LazyTextField(default="")  # why it was stopped, and what stands
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"garbage collection {self.pk} ({self.state})"
