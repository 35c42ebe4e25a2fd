"""Celery's schedule, with a sign of life of its own: that a worker is idle must not look as if it were dead."""

from contextlib import suppress
from typing import Any

from celery.beat import PersistentScheduler
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from registry_sync import heartbeat
from registry_sync.models import Heartbeat


class Schedule(PersistentScheduler):
    def tick(self, *arguments: Any, **options: Any) -> Any:
        """Every few seconds: what is due is sent."""
        with suppress(DatabaseError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
            heartbeat.note(Heartbeat.BEAT, timezone.now(), every=heartbeat.PULSE)
        return super().tick(*arguments, **options)
