"""What the worker does, when beat or a person says so. Each task may come twice, late or never: all is in the rows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from namespaces.models import ReservedName
from registry_sync import connection
from registry_sync.models import SyncRun
from registry_sync.sync.reconcile import reconcile as run_reconcile
from registry_sync.token import authority

RUNS_KEPT = 500


@shared_task(name="registry_sync.reconcile")
def reconcile(**_later: Any) -> None:
    run_reconcile(connection.registry(), when_due=True)


@shared_task(name="registry_sync.housekeeping")
def housekeeping(**_later: Any) -> None:
    """Renews the signing leaf when due; forgets old runs and reservations that are over."""
    authority.renew_leaf(Path(settings.SECRETS_DIR), timezone.now())
    ReservedName.objects.filter(until__lt=timezone.now() - timedelta(days=1), only_account_id=None).delete()
    oldest = SyncRun.objects.order_by("-id").values_list("id", flat=True)[RUNS_KEPT : RUNS_KEPT + 1].first()
    if oldest:
        SyncRun.objects.filter(id__lte=oldest).delete()
