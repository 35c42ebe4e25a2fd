"""Celery as `make run` runs it, with the schedule in a thread: a file says that it is ready for work."""

import logging
import os
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


def ready_file() -> Path:
    return Path(settings.DATA_DIR) / "worker.ready"


def serve() -> None:
    """Run the worker until a signal ends it, and the schedule from when it is ready.

    By threads: a signal to the group kills prefork children in mid-task; files need one reader only.
    """
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # `run` has done them; they touch, and so copy, all that is shared
    worker_ready.connect(_start_schedule)
    # Not by its command line, which loads all other commands too. Gossip and the like would pile up as files.
    app.Worker(
        pool_cls="threads", concurrency=2, loglevel=logging.WARNING, quiet=True,
        without_gossip=True, without_mingle=True, without_heartbeat=True,
    ).start()  # fmt: skip


def _start_schedule(**_details: Any) -> None:
    # Celery's `--beat` would take a process.
    schedule = Service(app, scheduler_cls=app.conf.beat_scheduler)
    Thread(target=schedule.start, name="schedule", daemon=True).start()
    ready_file().touch(mode=0o600)
