"""The answer to an open page that nothing happened on, before sessions and whatever else a page costs."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import live_updates

NOTHING_NEW = 204  # htmx leaves the page as it is
_LOOKS = frozenset({"GET", "HEAD"})


class LiveMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        note = request.GET.get(live_updates.PARAMETER, "") if request.method in _LOOKS else ""
        session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        news = live_updates.news(note, session) if note else live_updates.News.PERHAPS
        if news is live_updates.News.NOTHING:
            return HttpResponse(status=NOTHING_NEW, headers={"Cache-Control": "no-store"})
        response = self.get_response(request)
        if news is live_updates.News.ELSEWHERE:
            response["HX-Trigger"] = "standing"  # the part that shows it asks for itself
        return response
