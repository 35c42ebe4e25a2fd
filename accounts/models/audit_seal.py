from typing import Any

from django.db import models
from django.utils import timezone


class AuditSeal(models.Model):
    """What the audit log held up to one event, keyed and chained (accounts/audit_chain.py). Append-only too."""

    at = models.DateTimeField(default=timezone.now)
    last_event_id = models.BigIntegerField(unique=True)  # whoever seals the same events at once fails
    event_count = models.IntegerField()
    digest = models.CharField(max_length=64)
    pepper_version = models.IntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"seal up to event {self.last_event_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The audit log is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The audit log is append-only.")
