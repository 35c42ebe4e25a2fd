"""The line above a list that says what is new, so that no row moves under anybody's hand."""

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts import gate as accounts_gate
from accounts.pages.http import PersonRequest, principal
from namespaces import gate
from namespaces import news as told
from namespaces.models import TagMove

NOTHING_NEW = 204  # htmx leaves the page as it is


@login_required
@require_GET
def of_image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    return _answer(
        request, told.of_image(gate.image_or_planned(principal(request), handle, name, image_name))
    )


@login_required
@require_GET
def of_namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    return _answer(request, told.of_namespace(gate.namespace(principal(request), handle, name)))


@login_required
@require_GET
def of_account(request: PersonRequest, handle: str) -> HttpResponse:
    return _answer(request, told.of_account(accounts_gate.account(principal(request), handle)))


def _answer(request: PersonRequest, moves: QuerySet[TagMove]) -> HttpResponse:
    """`since`: the newest move when the page was made; `seen`: the newest that its line counts already;
    `empty`: the page has no row that could move, and is simply made anew."""
    since, seen = _number(request, "since"), _number(request, "seen")
    news = told.since(moves, since)
    if not news or news.last <= seen:
        return HttpResponse(status=NOTHING_NEW)
    if request.GET.get("empty"):
        return HttpResponse(status=NOTHING_NEW, headers={"HX-Refresh": "true"})
    context = {
        "url": request.path,
        "since": since,
        "seen": news.last,
        "words": _words(news),
        "here": request.htmx.current_url_abs_path or ".",
    }
    return render(request, "namespaces/_news.html", context)


def _words(news: told.News) -> str:
    parts = [
        ngettext("%(n)s new tag", "%(n)s new tags", news.new) % {"n": news.new} if news.new else "",
        ngettext("%(n)s tag moved", "%(n)s tags moved", news.moved) % {"n": news.moved} if news.moved else "",
        ngettext("%(n)s tag gone", "%(n)s tags gone", news.gone) % {"n": news.gone} if news.gone else "",
    ]
    return _(", ").join(filter(None, parts))


def _number(request: PersonRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0  # noqa: PLR2004
