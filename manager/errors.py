"""Domain errors become HTTP answers here, and nowhere else among the pages."""

from collections.abc import Callable

from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.errors import Absent, DomainError, Refused, TooMany, Unavailable


class DomainErrorMiddleware:
    """A page lets Absent, Refused and Unavailable fly; Invalid it shows beside its fields itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match error:
            case Absent():
                raise Http404(error.message)
            case DataError():  # a NUL in a path or a search: no row can have such a name
                raise Http404
            case Refused():
                return render(request, "403.html", {"exception": error.message}, status=403)
            case Unavailable():
                return _later(request, 503, 5, error.message)
            case OperationalError() | InterfaceError():
                return _later(request, 503, 5)
            case TooMany():
                return _later(request, 429, error.wait, error.message)
            case DomainError():
                return render(request, "400.html", {"exception": error.message}, status=400)
        return None


def _later(request: HttpRequest, status: int, wait: int, reason: str = "") -> HttpResponse:
    response = render(request, f"{status}.html", {"reason": reason}, status=status)
    response["Retry-After"] = str(wait)
    return response
