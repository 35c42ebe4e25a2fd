from django.db import models
from django.utils import timezone

from accounts.models.lazy_text_field import LazyTextField
from namespaces.models import Image
from registry_sync.models.purge import Purge
from registry_sync.models.retention import RetentionRun


class Removal(models.Model):
    """A request of a person, a rule or a purge to change an image's tags in the registry. A worker carries it out.

    The request and its progress are rows: the worker may die at any point, and another continues.
    """

    class Kind(models.TextChoices):
        UNTAG = "untag"  # tags go, what they pointed at stays
        DELETE = "delete"  # manifests go, with every tag that points at them
        RESTORE = "restore"  # a tag points again at what the registry still holds

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        PARTIAL = "partial"  # some of its items were not done; each says why
        FAILED = "failed"  # none was done

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="removals")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    requested_by = models.CharField(max_length=254)
    requested_by_id = models.BigIntegerField(null=True)  # a person's key; None: the system
    address = models.CharField(max_length=45, default="")
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    run = models.ForeignKey(RetentionRun, null=True, on_delete=models.CASCADE, related_name="removals")
    purge = models.ForeignKey(Purge, null=True, on_delete=models.CASCADE, related_name="removals")
    # Of a restore: the deletion that it undoes.
    undoes = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="undone_by")
    due_at = models.DateTimeField(default=timezone.now, null=True)  # None: nothing is left to do
    attempts = models.PositiveSmallIntegerField(default=0)
    # When a worker last worked on it; decides whose turn is next.
    last_attempt_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    problem = LazyTextField(default="")  # why it waits, when the registry does not answer

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["image", "-id"], name="removal_by_image"),
            models.Index(fields=["due_at", "id"], name="removal_due", condition=~models.Q(due_at=None)),
            models.Index(
                fields=["last_attempt_at"],
                name="removal_attempted",
                condition=~models.Q(last_attempt_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.image}"


class RemovalItem(models.Model):
    """One tag, or (`tag` empty) one manifest. `digest`: what the tag pointed at, what to delete, or what to restore."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        STOPPED = "stopped"  # the registry is not as it was when this was requested; nothing was changed
        FAILED = "failed"

    removal = models.ForeignKey(Removal, on_delete=models.CASCADE, related_name="items")
    tag = models.CharField(max_length=128, default="")
    digest = models.CharField(max_length=140)
    # Restore: what the tag pointed at when this was requested, "" for no such tag.
    expected_digest = models.CharField(max_length=140, default="")
    # Delete: all that was shown to depend on it, {"tags": [...], "indexes": [...], "referrers": [...]}.
    # Restore, of what was deleted: {"kept": true}, the panel has its bytes.
    confirmed_dependents = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    started_at = models.DateTimeField(null=True)  # set before the registry is written to
    # Where a registry cannot remove a tag alone: what is pushed under it and deleted. Stored before the push.
    placeholder_digest = models.CharField(max_length=140, default="", db_index=True)
    nonce = models.CharField(max_length=32, default="")  # makes the placeholder unique
    outcome = models.CharField(max_length=20, default="")  # a code of deletion/outcomes.py
    detail = LazyTextField(default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.tag or self.digest} {self.state}"
