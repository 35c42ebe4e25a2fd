"""The line of pages that says how true their list is.

Asked only by pages that show it.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.write_behind import SeenNote
from registry_sync import installation_status, live_updates, selectors
from registry_sync.last_viewed import image_views
from registry_sync.view_scope import ALL, ViewScope, visible_to
from registry_sync.views.installation_status import of_request


def freshness(request: HttpRequest) -> dict[str, Any]:
    return {
        "standing": SimpleLazyObject(lambda: of_request(request)),
        "freshness": SimpleLazyObject(lambda: _freshness(request)),
    }


def _freshness(request: HttpRequest) -> selectors.Freshness:
    """Also notes that somebody looks at this image: the next run reads it before others."""
    now, match = timezone.now(), request.resolver_match
    if match and match.url_name == "image":
        image_views.note(SeenNote(_repository(match), now))
    exact = bool(getattr(request.user, "is_staff", False))
    of, signs = _shown(request), installation_status.signs_for(request.user)
    found = selectors.freshness(now, of=of, exact=exact, signs=signs)
    if not found.running:
        return found
    note = live_updates.note_of_sync(request, found.running)
    found.running.refresh_from_db()  # as it stood when the note was made, or later
    if found.running.finished_at:
        found = selectors.freshness(now, of=of, exact=exact, signs=signs)
    return replace(found, live=note)


def _shown(request: HttpRequest) -> ViewScope:
    """Return what is shown. The line that asks for itself speaks of the page that it stands on."""
    match = request.resolver_match
    here = getattr(request, "htmx", None) and request.htmx.current_url_abs_path  # type: ignore[attr-defined]
    if here and match and match.url_name == "freshness":
        with suppress(Resolver404):
            match = resolve(urlsplit(here).path)
    at = match.kwargs if match else {}
    if "handle" not in at and getattr(request.user, "is_staff", False):
        return ALL
    return visible_to(
        request.user.pk or 0,
        handle=at.get("handle", ""),
        namespace=at.get("name", ""),
        image=at.get("image_name", ""),
    )


def _repository(match: ResolverMatch) -> str:
    return f"{match.kwargs['name']}/{match.kwargs['image_name']}"
