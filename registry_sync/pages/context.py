"""Gives pages the line that says how true their list is, and what of an image could not be read; asked only by pages
that show it."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.outage import in_passing
from accounts.speech import spoken
from registry_sync import live, selectors
from registry_sync.models import Repository
from registry_sync.shown import EVERYTHING, Shown, to_person


def freshness(request: HttpRequest) -> dict[str, Any]:
    return {
        "freshness": SimpleLazyObject(lambda: _freshness(request)),
        "unread": SimpleLazyObject(lambda: _unread(request)),
    }


def _freshness(request: HttpRequest) -> selectors.Freshness:
    """Also notes that somebody looks at this image: the next run reads it before others."""
    now, match = timezone.now(), request.resolver_match
    if match and match.url_name == "image":
        looked_at(_repository(match), now)
    exact = bool(getattr(request.user, "is_staff", False))
    of = _shown(request)
    found = selectors.freshness(now, of=of, exact=exact)
    if not found.running:
        return found
    note = live.note_of_sync(request, found.running)
    found.running.refresh_from_db()  # as it stood when the note was made, or later
    if found.running.finished_at:
        found = selectors.freshness(now, of=of, exact=exact)
    return replace(found, live=note)


def _shown(request: HttpRequest) -> Shown:
    """The line that asks for itself speaks of the page that it stands on."""
    match = request.resolver_match
    here = getattr(request, "htmx", None) and request.htmx.current_url_abs_path  # type: ignore[attr-defined]
    if here and match and match.url_name == "freshness":
        with suppress(Resolver404):
            match = resolve(urlsplit(here).path)
    at = match.kwargs if match else {}
    if "handle" not in at and getattr(request.user, "is_staff", False):
        return EVERYTHING
    return to_person(
        request.user.pk or 0, handle=at.get("handle", ""), namespace=at.get("name", ""),
        image=at.get("image_name", ""),
    )  # fmt: skip


def _unread(request: HttpRequest) -> str:
    """Why not all of the image that the page is about could be read lately; "" when it could."""
    match = request.resolver_match
    if not match or "image_name" not in match.kwargs:
        return ""
    row = Repository.objects.filter(name=_repository(match))
    return spoken(row.values_list("problem", flat=True).first() or "")


def _repository(match: ResolverMatch) -> str:
    return f"{match.kwargs['name']}/{match.kwargs['image_name']}"


def looked_at(repository: str, now: datetime) -> None:
    """Once in ten minutes."""
    row = Repository.objects.filter(name=repository)
    stale = row.filter(Q(looked_at=None) | Q(looked_at__lt=now - timedelta(minutes=10)))
    with in_passing():
        stale.update(looked_at=now)
