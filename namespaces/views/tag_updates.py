"""The line above a list that says what is new. The rows themselves stay until the reader reloads."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts import live_updates
from accounts import permissions as account_permissions
from accounts.views.form_errors import is_ours
from accounts.views.request import PersonRequest, principal
from namespaces import permissions
from namespaces import tag_updates as updates
from namespaces.models import TagHistoryEntry


@login_required
@require_safe
def of_image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    image = permissions.image_or_planned(principal(request), handle, name, image_name)
    return _answer(request, "image", updates.live_note_of_image, image, updates.history_of_image(image))


@login_required
@require_safe
def of_namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    namespace = permissions.namespace(principal(request), handle, name)
    return _answer(
        request,
        "namespace",
        updates.live_note_of_namespace,
        namespace,
        updates.history_of_namespace(namespace),
    )


@login_required
@require_safe
def of_account(request: PersonRequest, handle: str) -> HttpResponse:
    account = account_permissions.account(principal(request), handle)
    return _answer(
        request, "account", updates.live_note_of_account, account, updates.history_of_account(account)
    )


def _answer(
    request: PersonRequest,
    kind: str,
    note: Callable[..., str],
    thing: Any,
    entries: QuerySet[TagHistoryEntry],
) -> HttpResponse:
    """Render what changed since the page was rendered, as its note says; without a valid note nothing did.

    With `?empty=1` the page has no rows that could move, and is simply reloaded.
    """
    asked = live_updates.of_page(request, kind)
    since = asked.since if asked else None
    fresh = note(request, thing, since=since)  # before the entries, or one written in between would be missed
    changes = updates.changes_since(entries, since[0] or 0) if since else updates.TagChanges()
    empty = request.GET.get("empty", "")
    if changes and empty:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    here = request.htmx.current_url_abs_path or "."
    context = {
        "url": request.path,
        "live": fresh,
        "empty": empty,
        "words": _summary(changes),
        "here": here if is_ours(here) else ".",
    }
    return render(request, "namespaces/_updates.html", context)


def _summary(changes: updates.TagChanges) -> str:
    parts = [
        ngettext("%(n)s new tag", "%(n)s new tags", changes.new) % {"n": changes.new} if changes.new else "",
        ngettext("%(n)s tag moved", "%(n)s tags moved", changes.moved) % {"n": changes.moved}
        if changes.moved
        else "",
        ngettext("%(n)s tag gone", "%(n)s tags gone", changes.gone) % {"n": changes.gone}
        if changes.gone
        else "",
    ]
    return _(", ").join(filter(None, parts))
