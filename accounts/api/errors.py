"""Every error of the API in one shape: {"error": {"code", "message", "fields": {field: [sentence]}}}."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.common.database_errors import RETRY_AFTER, first_line, outage_of
from accounts.common.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unavailable,
)
from accounts.common.translation import translate

log = logging.getLogger(__name__)

CODES = {
    400: "invalid",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}


class TooLarge(APIException):
    status_code = 413
    default_detail = gettext_lazy("The body is too large.")


def handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """None for what nobody foresaw: that is a 500 and goes to the log."""
    match error:
        case DomainError():
            return _domain(error)
        case ValidationError():
            return _fields(400, _flat(error.detail))
        case APIException():
            return _framework(error)
        case Http404():
            return _answer(404, translate(NotFound().message))
        case PermissionDenied():
            return _answer(403, _("You are not allowed to do this."))
        case RequestDataTooBig():
            return _answer(413, str(TooLarge.default_detail))
        case SuspiciousOperation():
            return _answer(400, _("This request could not be read."))
    return _outage(error)


def _outage(error: Exception) -> Response | None:
    outage = outage_of(error)
    if not outage:
        return None
    log.warning("%s", first_line(error))
    return _later(503, outage.sentence)


def _domain(error: DomainError) -> Response:
    match error:
        case NotFound():
            return _answer(404, translate(error.message))
        case Forbidden():
            return _answer(403, error.message, code=error.code)
        case Invalid():
            return _fields(409 if isinstance(error, Conflict) else 400, error.errors)
        case Unavailable():
            return _later(503, error.message)
        case RateLimited():
            return _later(429, error.message, error.wait)
    return _answer(400, error.message)


def _framework(error: APIException) -> Response:
    response = _answer(error.status_code, str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _later(status: int, message: str, wait: int = RETRY_AFTER) -> Response:
    response = _answer(status, message)
    response["Retry-After"] = str(wait)
    return response


def _fields(status: int, fields: dict[str, list[str]]) -> Response:
    """`message` tells all of it; sentences about no single field stand only there."""
    fields = {_sendable(name): [_sendable(each) for each in all_] for name, all_ in fields.items()}
    sentences = [f"{name}: {each}" if name else each for name, all_ in fields.items() for each in all_]
    return _answer(status, " ".join(sentences), {name: all_ for name, all_ in fields.items() if name})


def _sendable(text: str) -> str:
    """Return the text without halves of characters, which JSON may hold and UTF-8 cannot: errors repeat what came."""
    return str(text).encode("utf-8", "replace").decode()


def _answer(
    status: int, message: str, fields: dict[str, list[str]] | None = None, *, code: str = ""
) -> Response:
    return Response(shape(status, message, fields, code=code), status=status)


def shape(
    status: int, message: str, fields: dict[str, list[str]] | None = None, *, code: str = ""
) -> dict[str, Any]:
    """`code`: where the status does not say all."""
    code = code or CODES.get(status, "error")
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def _flat(detail: Any) -> dict[str, list[str]]:
    """Return a serializer's errors as ours; "" is the whole body."""
    if not isinstance(detail, dict):
        return {"": [str(each) for each in detail]}
    whole = api_settings.NON_FIELD_ERRORS_KEY
    return {"" if name == whole else str(name): _sentences(each) for name, each in detail.items()}


def _sentences(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [sentence for each in detail.values() for sentence in _sentences(each)]
    if isinstance(detail, list):
        return [sentence for each in detail for sentence in _sentences(each)]
    return [str(detail)]
