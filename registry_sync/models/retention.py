from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from accounts.models.lazy_text_field import LazyTextField
from namespaces.models import Namespace
from namespaces.names import REPOSITORY_MAX

LIMIT = [MinValueValidator(1), MaxValueValidator(10_000)]


class RetentionRule(models.Model):
    """Which tags of a namespace, or of one of its images, stay. What no condition keeps is removed.

    A rule without conditions removes nothing. `enabled`: it runs by schedule.
    """

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="retention_rules")
    image_name = models.CharField(max_length=REPOSITORY_MAX, default="", blank=True)  # "": all its images
    keep_last = models.PositiveIntegerField(null=True, blank=True, validators=LIMIT)  # the newest so many
    keep_days = models.PositiveIntegerField(null=True, blank=True, validators=LIMIT)  # pushed within
    keep_pulled_days = models.PositiveIntegerField(null=True, blank=True, validators=LIMIT)  # pulled within
    keep_checked = models.BooleanField(default=False, db_default=False)  # a check counts as a pull
    keep_pattern = models.CharField(max_length=200, default="", blank=True)  # tags, with * and ?
    protect_pattern = models.CharField(max_length=200, default="", blank=True)  # never removed
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
        SKIPPED = "skipped"  # not certain enough, or withdrawn; nothing was deleted
        FAILED = "failed"

    rule = models.ForeignKey(RetentionRule, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    requested_by = models.CharField(max_length=254, default="schedule")
    requested_by_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    # When the removals were created.
    planned_at = models.DateTimeField(null=True)
    # Counted before each one is started: a run that kills workers must not hold up the others.
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True)
    kept = models.PositiveIntegerField(default=0)
    removed = models.JSONField(default=list)  # [{"image", "tag", "digest"}], at most 1,000
    removed_count = models.PositiveIntegerField(default=0)
    problem = LazyTextField(default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.rule} {self.state}"
