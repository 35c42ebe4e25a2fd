from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from namespaces.models import Namespace
from namespaces.names import REPOSITORY_MAX

LIMIT = [MinValueValidator(1), MaxValueValidator(10_000)]


class RetentionRule(models.Model):
    """Which tags of a namespace, or of one image of it, stay. What no line of it keeps may go.

    Nothing goes by a rule that keeps nothing; `enabled` runs it on schedule.
    """

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="retention_rules")
    image_name = models.CharField(max_length=REPOSITORY_MAX, default="", blank=True)  # "": all its images
    keep_last = models.PositiveIntegerField(null=True, blank=True, validators=LIMIT)  # the newest so many
    keep_days = models.PositiveIntegerField(null=True, blank=True, validators=LIMIT)  # pushed within
    keep_pulled_days = models.PositiveIntegerField(null=True, blank=True, validators=LIMIT)  # pulled within
    keep_checked = models.BooleanField(default=False, db_default=False)  # a check counts as a pull
    keep_pattern = models.CharField(max_length=200, default="", blank=True)  # tags, with * and ?
    protect_pattern = models.CharField(max_length=200, default="", blank=True)  # never go, by no rule
    enabled = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["namespace__name", "image_name"]
        constraints = [
            models.UniqueConstraint(fields=["namespace", "image_name"], name="retention_rule_once"),
        ]

    def __str__(self) -> str:
        return f"{self.namespace.name}/{self.image_name or '*'}"


class RetentionRun(models.Model):
    """One application of a rule, and what came of it."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        SKIPPED = "skipped"  # what is known of the images was not certain; nothing was deleted
        FAILED = "failed"

    rule = models.ForeignKey(RetentionRule, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    requested_by = models.CharField(max_length=254, default="schedule")
    requested_by_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    # When it was decided what goes, and the removals were asked for.
    planned_at = models.DateTimeField(null=True)
    # Written down before it is begun: what a worker dies on must not stand before all others for ever.
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True)
    kept = models.PositiveIntegerField(default=0)
    removed = models.JSONField(default=list)  # [{"image", "tag", "digest"}], at most 1,000
    removed_count = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.rule} {self.state}"
