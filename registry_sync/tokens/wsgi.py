"""The token door: a small WSGI application in front of Django's, for two paths.

It stands outside of sessions, cookies and CSRF (containerd takes a 403 as final), and saves the hot path what
a page needs and a token does not. Anything but /auth/token and /auth/exchange goes on to Django.
"""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from accounts.access_denials import denials
from accounts.common.client_ip import Origin, client_address
from accounts.common.errors import Unavailable
from accounts.common.secret_files import SecretFileError
from accounts.common.user_agent import short
from accounts.last_used import uses
from accounts.pepper_migration import rehashes
from accounts.refused_id_tokens import refused_id_tokens
from namespaces.ledger.granted import granted
from registry_sync.tokens import exchange
from registry_sync.tokens.issuer import IssuedToken, issue_token
from registry_sync.tokens.request import KEYS_COMING, TokenError, TokenRequest, parse_request
from registry_sync.tokens.results import RESULT, Respond, measured

PATH = "/auth/token"
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]

log = logging.getLogger(__name__)


def token_middleware(inner: Application) -> Application:
    """`inner` with the token door in front of it."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = DOORS.get(str(environ.get("PATH_INFO")))
        if not answer:
            return inner(environ, start_response)
        status, headers, body = answer(environ, now=datetime.now(UTC))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    return application


def start_write_behind() -> None:
    """Begins, once per process, to write what is noted while tokens are issued."""
    for batch in (uses, denials, granted, rehashes, refused_id_tokens):
        batch.start()


def respond(environ: dict[str, Any], *, now: datetime) -> tuple[int, Headers, bytes]:
    """(status, headers, JSON body). Never 403 or 500: clients retry 400 and 401, and wait on 503."""
    try:
        request = parse_request(environ)
        client = short(environ.get("HTTP_USER_AGENT", ""))
        issued = issue_token(request, origin=Origin(client_address(environ), client, now))
    except TokenError as refusal:
        environ[KEYS_COMING] = refusal.keys_coming
        return _error_response(refusal)
    except (Unavailable, SecretFileError, ImproperlyConfigured) as error:
        log.error("no token can be issued: %s", error)  # noqa: TRY400 (the sentence says it)
        return _error_response(
            TokenError(503, "UNAVAILABLE", "The panel cannot issue tokens now; try again.", retry_after=5)
        )
    environ[RESULT] = issued.result
    return 200, _headers(), _body(issued, request)


DOORS: dict[str, Respond] = {PATH: respond, exchange.PATH: exchange.respond}


def measure_tokens(doors: dict[str, Respond] = DOORS) -> None:
    """From now on count the requests for tokens in this process, with the time that each took."""
    doors[PATH] = measured(respond)


def _body(issued: IssuedToken, request: TokenRequest) -> bytes:
    """`token` for docker, `access_token` for containerd; times as an integer and RFC 3339 with its Z."""
    at = issued.issued_at.replace(tzinfo=None).isoformat(timespec="seconds")
    scope = ""
    if request.oauth:
        items = (f"{each['type']}:{each['name']}:{','.join(each['actions'])}" for each in issued.access)
        scope = f', "scope": {json.dumps(" ".join(items))}'
    # Nothing else needs an escape: a token holds letters, digits, "-", "_" and ".".
    return (
        f'{{"token": "{issued.token}", "access_token": "{issued.token}",'
        f' "expires_in": {issued.expires_in}, "issued_at": "{at}Z"{scope}}}'
    ).encode()


def _error_response(refusal: TokenError) -> tuple[int, Headers, bytes]:
    headers = _headers()
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", 'Basic realm="Registry Manager", charset="UTF-8"'))
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, POST"))
    if refusal.retry_after:
        headers.append(("Retry-After", str(refusal.retry_after)))
    errors = [{"code": refusal.code, "message": refusal.message, "detail": None}]
    return refusal.status, headers, json.dumps({"errors": errors}).encode()


def _headers() -> Headers:
    return [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
