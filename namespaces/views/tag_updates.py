"""The line above a list that says what is new, so that no row moves under anybody's hand."""

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
from accounts import permissions as accounts_gate
from accounts.views.form_errors import is_ours
from accounts.views.request import PersonRequest, principal
from namespaces import permissions
from namespaces import tag_updates as told
from namespaces.models import TagHistoryEntry


@login_required
@require_safe
def of_image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    image = permissions.image_or_planned(principal(request), handle, name, image_name)
    return _answer(request, "image", told.note_of_image, image, told.of_image(image))


@login_required
@require_safe
def of_namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    namespace = permissions.namespace(principal(request), handle, name)
    return _answer(request, "namespace", told.note_of_namespace, namespace, told.of_namespace(namespace))


@login_required
@require_safe
def of_account(request: PersonRequest, handle: str) -> HttpResponse:
    account = accounts_gate.account(principal(request), handle)
    return _answer(request, "account", told.note_of_account, account, told.of_account(account))


def _answer(
    request: PersonRequest, kind: str, note: Callable[..., str], thing: Any, moves: QuerySet[TagHistoryEntry]
) -> HttpResponse:
    """Send what came since the page was made, as its note says. Without a good one the page begins anew.

    `empty`: the page has no row that could move, and is simply made anew.
    """
    asked = live_updates.of_page(request, kind)
    since = asked.since if asked else None
    fresh = note(request, thing, since=since)  # before the moves: what comes in between is asked for again
    news = told.since(moves, since[0] or 0) if since else told.News()
    empty = request.GET.get("empty", "")
    if news and empty:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    here = request.htmx.current_url_abs_path or "."
    context = {
        "url": request.path,
        "live": fresh,
        "empty": empty,
        "words": _words(news),
        "here": here if is_ours(here) else ".",
    }
    return render(request, "namespaces/_news.html", context)


def _words(news: told.News) -> str:
    parts = [
        ngettext("%(n)s new tag", "%(n)s new tags", news.new) % {"n": news.new} if news.new else "",
        ngettext("%(n)s tag moved", "%(n)s tags moved", news.moved) % {"n": news.moved} if news.moved else "",
        ngettext("%(n)s tag gone", "%(n)s tags gone", news.gone) % {"n": news.gone} if news.gone else "",
    ]
    return _(", ").join(filter(None, parts))
