"""The address of a form that takes only POST, opened as a page: by a switch of the language, a reload, or signing in.

A form with errors is shown at such an address, so a browser may ask for it later. It is led to the nearest page above.
A program, which does not ask for HTML, gets the 405.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

API: Final = "/api/"


class PageAboveMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        refused = answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET"
        by_browser = "text/html" in request.headers.get("Accept", "")
        if refused and by_browser and not request.path.startswith(API):
            return redirect(_page_above(request.path))
        return answer


def _page_above(path: str) -> str:
    """Return the nearest address above `path` that is one of ours. It may take only POST, too: then this goes on."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        if _is_ours(path):
            break
    return path


def _is_ours(path: str) -> bool:
    try:
        found = resolve(path)
    except Resolver404:
        return False
    # "-" is no part of an image's name: `…/i/team/api/-/` is no image.
    return "-" not in found.kwargs.get("image_name", "").split("/")
