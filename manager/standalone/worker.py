"""Celery as `make run` runs it, with the schedule in a thread: a file says that it is ready for work."""

import warnings
from pathlib import Path
from threading import Thread
from typing import Any

from celery.beat import Service
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready
from django.conf import settings

from manager.celery import app

# Whoever types `make run` decides as whom; messages are JSON, which runs nothing.
warnings.simplefilter("ignore", SecurityWarning)

__all__ = ["app", "ready_file"]


def ready_file() -> Path:
    return Path(settings.DATA_DIR) / "worker.ready"


@worker_ready.connect
def _ready(**_details: Any) -> None:
    # Celery's `--beat` would take a process.
    schedule = Service(app, scheduler_cls=app.conf.beat_scheduler)
    Thread(target=schedule.start, name="schedule", daemon=True).start()
    ready_file().touch(mode=0o600)
