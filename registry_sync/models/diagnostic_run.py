from typing import Any

from django.db import models
from django.utils import timezone

from accounts.common.lazy_text import from_json


class DiagnosticRun(models.Model):
    """One look of the doctor at the whole installation. Asked for by a row; the worker does it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"

    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    requested_by = models.CharField(max_length=254)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    results = models.JSONField(default=list)  # of registry_sync.doctor.result.Result, as dictionaries

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"checkup {self.pk} ({self.state})"

    @property
    def found(self) -> list[dict[str, Any]]:
        """The results, with their sentences ready to be spoken."""
        return [
            {
                **result,
                "text": from_json(result["text"]),
                "fixes": [{**fix, "where": from_json(fix["where"])} for fix in result["fixes"]],
            }
            for result in self.results
        ]

    @property
    def failed(self) -> int:
        return sum(result["state"] == "fail" for result in self.results)

    @property
    def wrong(self) -> int:
        """How many checks failed, say that something will, or could not be made. What was not run yet is no fault."""
        return sum(result["state"] not in ("ok", "pending") for result in self.results)
