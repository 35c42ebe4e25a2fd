"""Gives every page the line that says how true its list is; asked only by pages that show it."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from registry_sync import selectors
from registry_sync.models import Repository


def freshness(request: HttpRequest) -> dict[str, Any]:
    return {"freshness": SimpleLazyObject(lambda: _freshness(request))}


def _freshness(request: HttpRequest) -> selectors.Freshness:
    """Also notes that somebody looks at this image: the next run reads it before others."""
    now, match = timezone.now(), request.resolver_match
    if match and match.url_name == "image":
        looked_at(f"{match.kwargs['name']}/{match.kwargs['image_name']}", now)
    return selectors.freshness(now)


def looked_at(repository: str, now: datetime) -> None:
    """Once in ten minutes. A page is shown whether this can be written or not."""
    row = Repository.objects.filter(name=repository)
    stale = row.filter(Q(looked_at=None) | Q(looked_at__lt=now - timedelta(minutes=10)))
    with suppress(DatabaseError), transaction.atomic():
        stale.update(looked_at=now)
