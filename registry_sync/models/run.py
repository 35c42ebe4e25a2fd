from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.lazy_text_field import LazyTextField
from registry_sync.models.quarantine import WorkerCrash


class SyncRun(models.Model):
    """One walk over the registry: how far it is, and what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        INCOMPLETE = (
            "incomplete",
            _("Incomplete"),
        )  # the registry could not be read to the end, or no repository could be
        FAILED = "failed", _("Failed")  # the catalog could not be read; nothing was changed
        # So many repositories would vanish that an operator must agree; nothing was changed.
        NEEDS_APPROVAL = "needs_approval", _("Needs approval")

    state = models.CharField(max_length=14, choices=State.choices, default=State.WAITING)
    # A quick pass over the names of repositories and tags; what a known tag points at is asked by full checks alone.
    quick = models.BooleanField(default=False, db_default=False)
    requested_by = models.CharField(max_length=254, default="schedule")
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    repositories_total = models.PositiveIntegerField(default=0)
    repositories_done = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    changes = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)  # repositories that could not be read to the end
    # Tags that would have vanished at once; they stay until an operator agrees.
    tags_needing_approval = models.PositiveIntegerField(default=0, db_default=0)
    problem = LazyTextField(default="")
    # True: an operator agreed that this run may take away what the mass-change guard would hold.
    deletions_approved = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"sync run {self.pk} ({self.state})"

    @property
    def percent(self) -> int:
        return 100 * self.repositories_done // self.repositories_total if self.repositories_total else 0

    @property
    def found_all_as_known(self) -> bool:
        """Whether it was a full check that read everything and found nothing to change."""
        found = self.changes or self.unreadable or self.tags_needing_approval
        return self.state == self.State.DONE and not (self.quick or found)


class Shard(models.Model):
    """A part of a run: repositories that one task reads. Resumed by whoever takes its lease when the task crashed."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="shards")
    number = models.PositiveIntegerField()
    repositories = models.JSONField(default=list)  # ids
    done_at = models.DateTimeField(null=True)
    token = models.PositiveIntegerField(default=0)  # fences: a holder with an older number must not write
    lease_until = models.DateTimeField(null=True)
    # The reader of a larger part crashed, and this is some of it.
    crash = models.ForeignKey(WorkerCrash, null=True, on_delete=models.SET_NULL, related_name="shards")

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="shard_once")]

    def __str__(self) -> str:
        return f"shard {self.number} of {self.run}"


class Drift(models.Model):
    """A difference that a run found and corrected, and that no event had reported."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="drifts")
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, default="")
    old = models.CharField(max_length=140, default="")
    new = models.CharField(max_length=140, default="")
    rolled_back = models.BooleanField(default=False, db_default=False)  # its history had left `new` before
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["found_at"], name="drift_found_at")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class Lease(models.Model):
    """One holder at a time of a named piece of work; a holder that crashed is succeeded when time is up.

    `token` fences: whoever writes under the lease checks that it still holds this token.
    """

    name = models.CharField(max_length=80, primary_key=True)
    token = models.BigIntegerField(default=0)
    until = models.DateTimeField()
    # What the holder is at (work_units.py), "" between two things. What a successor finds here is what it crashed on.
    current_work = models.CharField(max_length=600, default="", db_default="")

    def __str__(self) -> str:
        return self.name


class Marker(models.Model):
    """A named moment: when a part of the installation last proved that it lives, when something is due again."""

    WORKER, BEAT, EVENTS = "worker", "beat", "events"
    USAGE, USAGE_REST = "usage", "usage-rest"  # bytes counted; not to be counted again before
    READ = "read"  # when we requested what the registry last reported as read by us (client/pacing.py)
    # Others' pulls; since when without a gap (events/pull_counts.py).
    PULLS, PULLS_SINCE = "pulls", "pulls-since"
    REGISTRY = "registry"  # the registry last answered, and took our token (registry_probe.py)
    # Since when it does not; or the panel cannot sign tokens.
    REGISTRY_SILENT, REGISTRY_REFUSES = "registry-silent", "registry-refuses"
    TOKENS_UNSIGNED = "tokens-unsigned"
    TROUBLES = (REGISTRY_SILENT, REGISTRY_REFUSES, TOKENS_UNSIGNED)
    COLLECTING = "collecting"  # until when a garbage collection may take, if nobody ends it before
    REFUSED = "refused"  # somebody brought events without the right key
    REDIRECTED = "redirected"  # the registry came as one comes who was sent on: without the event
    DOCTOR = "doctor"
    DAILY = "daily"  # when what is done once a day is due again
    CLOCK = "clock"  # when the clock was last found to have gone back
    LEAP = "leap"  # or to have run far ahead
    # How the nightly check of the audit log ended. The stored names are older, and stay.
    AUDIT_LOG_INTACT, AUDIT_LOG_CHANGED = "trail-whole", "trail-changed"
    AUDIT_LOG_UNVERIFIED = "trail-unknown"

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
