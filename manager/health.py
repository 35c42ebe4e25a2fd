"""Answers for load balancers: alive, and ready."""

import logging
import time
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.common.database_errors import Outage, outage_of
from accounts.common.secret_files import SecretFileError
from accounts.peppers import peppers
from manager.unapplied import unapplied
from registry_sync.tokens.issuer import signer

log = logging.getLogger(__name__)


class HealthMiddleware:
    """First of all: a load balancer asks by address, without TLS and without the panel's name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match request.path_info:
            case "/healthz":
                return healthz()
            case "/readyz":
                return readyz()
        return self.get_response(request)


def healthz() -> HttpResponse:
    return JsonResponse({"ok": True})


def readyz() -> HttpResponse:
    """Say whether the database answers and has our tables, and this process can check passwords and sign tokens."""
    try:
        peppers()
        signer().leaf(now=int(time.time()))
        if missing := unapplied(connection):
            log.error("not ready: migrations have not been applied: %s", ", ".join(map(".".join, missing)))
            return _not_ready(Outage.OTHER_VERSION.sentence)
    except Error as error:
        outage = outage_of(error)
        named = outage if outage in (Outage.POOLER, Outage.OTHER_VERSION) else None
        return _not_ready(named.sentence if named else "does not answer")
    except (SecretFileError, ImproperlyConfigured) as error:
        log.error("not ready: %s", error)  # noqa: TRY400 (the sentence says it)
        return JsonResponse({"ok": False, "keys": "cannot be used; the log says which, and why"}, status=503)
    return JsonResponse({"ok": True})


def _not_ready(database: str) -> JsonResponse:
    return JsonResponse({"ok": False, "database": database}, status=503)
