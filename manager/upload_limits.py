"""What is too big for a form is refused before anything reads it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.api.errors import TooLarge, shape

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class BodyMiddleware:
    """Django bounds what a form holds in memory, but writes the files of one to disk, however big they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.content_type in FORMS:
            if _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                return _too_large(request)
            request.encoding = "utf-8"  # the only one of forms; Django falls over another that it is told of
        return self.get_response(request)


def _length(request: HttpRequest) -> int:
    """0 for a body without a length, of which Django reads nothing."""
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(announced) if announced.isascii() and announced.isdigit() else 0


def _too_large(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return JsonResponse(shape(413, str(TooLarge.default_detail)), status=413)
    return render(request, "413.html", status=413)
