"""The Celery application as the standalone set runs it: it leaves a file when it is ready for work."""

import warnings
from pathlib import Path
from typing import Any

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
    ready_file().touch(mode=0o600)
