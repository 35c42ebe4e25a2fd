"""The Celery application: Redis in production, files in the data folder when standalone."""

import os
import sys
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

try:
    settings.DATA_DIR  # noqa: B018 (reads them all)
except ImproperlyConfigured as error:  # Celery's command would print where it was raised
    sys.exit(str(error))

from accounts.common import clock

app = Celery("manager")


def expiry(seconds: float) -> dict[str, float]:
    """Return the option by which a message that nobody took so many seconds is dropped: the next one has come.

    The schedule writes a moment into it, and a worker compares that with the clock of its own machine. One whose clock
    is ahead would else drop all that comes.
    """
    return {"expires": seconds + clock.APART.total_seconds()}


def broker() -> dict[str, object]:
    if settings.REDIS:
        return {
            "broker_url": settings.REDIS.url,
            "broker_use_ssl": settings.REDIS.tls or False,
            # Short socket times: a web request that wakes a worker must not hang on a dead broker.
            "broker_transport_options": {
                # What is due is in the database, and beat looks there: a lost message costs seconds. With kombu's
                # bookkeeping of unacknowledged ones a worker ends when Redis goes in mid-task (kombu 5.7).
                "ack_emulation": False,
                "socket_timeout": 1,
                "socket_connect_timeout": 1,
                "max_retries": 0,  # of a publisher; the worker's own patience is set below
            },
        }
    queue = Path(settings.DATA_DIR) / "queue"
    for name in ("messages", "control"):
        (queue / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://localhost",
        "broker_transport": "manager.standalone.file_broker:Transport",
        "broker_transport_options": {
            "data_folder_in": str(queue / "messages"),
            "data_folder_out": str(queue / "messages"),
            "control_folder": str(queue / "control"),
            "store_processed": False,
            "polling_interval": 0.3,
        },
    }


app.conf.update(
    **broker(),
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=600,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # after 100 the worker would end, in an outage of an hour
    beat_scheduler="manager.beat:Schedule",
    beat_schedule={
        "reconcile": {
            "task": "registry_sync.reconcile",
            "schedule": settings.SYNC_INTERVAL_SECONDS,
            "options": expiry(settings.SYNC_INTERVAL_SECONDS),
        },
        # Each second: whoever was at them may have been killed. More than one wait only where clocks differ.
        "events": {"task": "registry_sync.apply_events", "schedule": 1.0, "options": expiry(10)},
        "pulse": {"task": "registry_sync.pulse", "schedule": 10.0, "options": expiry(10)},
        "removals": {"task": "registry_sync.removals", "schedule": 15.0, "options": expiry(15)},
        "mails": {"task": "registry_sync.mails", "schedule": 3.0, "options": expiry(3)},
        "issuer-keys": {"task": "registry_sync.issuer_keys", "schedule": 1.0, "options": expiry(10)},
        "denied-bursts": {
            "task": "registry_sync.denied_bursts",
            "schedule": 60.0,
            "options": expiry(60),
        },
        "webhooks": {"task": "registry_sync.webhooks", "schedule": 1.0, "options": expiry(10)},
        "usage": {"task": "registry_sync.measure_usage", "schedule": 10.0, "options": expiry(10)},
        "housekeeping": {"task": "registry_sync.housekeeping", "schedule": 3600.0},
        "daily": {"task": "registry_sync.daily", "schedule": 3600.0},
    },
)
app.autodiscover_tasks(["registry_sync"])
