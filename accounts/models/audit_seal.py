from typing import Any

from django.db import models
from django.utils import timezone


class AuditSeal(models.Model):
    """What the audit trail held up to one event, keyed and chained (accounts/seals.py). Append-only as the trail is."""

    at = models.DateTimeField(default=timezone.now)
    upto = models.BigIntegerField(unique=True)  # the last event's id; who seals the same events at once fails
    events = models.IntegerField()
    digest = models.CharField(max_length=64)
    pepper_version = models.IntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"seal up to event {self.upto}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The audit trail is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The audit trail is append-only.")
