"""POST /leaked: whoever holds a password or API token of this installation ends it, without signing in."""

import json
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts import leak_reports
from accounts.common.client_ip import client_address
from accounts.common.password_throttle import PasswordThrottle

TEXT_MAX: Final = 1000  # characters; no password is as long
_ANSWER: Final = {
    "status": "accepted",
    "message": "If this is a password or API token of this installation that works, it ends within seconds.",
}
throttle = PasswordThrottle()


@csrf_exempt
def report(request: HttpRequest) -> HttpResponse:
    """202 with the same body, whatever the password is or was; 429 to a network that reports too much."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    address = client_address(request.META)
    if wait := throttle.failed(address, "", now=int(timezone.now().timestamp())):
        message = {"status": "refused", "message": "Too many reports; wait a minute."}
        return _say(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": str(wait)})
    text = _password(request)
    if text is None:
        message = {"status": "refused", "message": "Send the password as `password`, in JSON or as a form."}
        return _say(HTTPStatus.BAD_REQUEST, message)
    leak_reports.report(text[:TEXT_MAX].strip(), address=address)
    return _say(HTTPStatus.ACCEPTED, _ANSWER)


def _password(request: HttpRequest) -> str | None:
    if request.content_type != "application/json":
        return request.POST.get("password")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    found = body.get("password") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _say(status: HTTPStatus, body: dict[str, str], headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store", **(headers or {})})
