"""Notes that a session is in use, where the request has looked into it anyway."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import session_seen


class SessionSeenMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        session = request.session
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return response  # it may be that no session could be read
        if session.accessed and session.session_key and SESSION_KEY in session:
            session_seen.note(session.session_key, timezone.now())
        return response
