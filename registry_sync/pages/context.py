"""Gives every page the line that says how true its list is; asked only by pages that show it."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from registry_sync import selectors


def freshness(request: HttpRequest) -> dict[str, Any]:
    return {"freshness": SimpleLazyObject(lambda: selectors.freshness(timezone.now()))}
