"""`POST /auth/exchange`: an ID token in, a password of an hour at most out (RFC 8693, token exchange).

For builds that take longer than their ID token lives. No registry client speaks it; `curl` in a script does.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from django.core.exceptions import ImproperlyConfigured
from django.db import Error

from accounts.common.client_ip import Origin, client_address
from accounts.common.errors import NotFound, RateLimited, Unavailable
from accounts.common.secret_files import SecretFileError
from accounts.common.user_agent import short
from accounts.services.swapped_passwords import SECONDS_LEAST, SECONDS_MOST, Judged, swap
from registry_sync.tokens.id_token_login import SignedIn, note_pull_request, sign_in
from registry_sync.tokens.request import KEYS_COMING, MAX_PASSWORD, Credentials, TokenError

PATH = "/auth/exchange"
MAX_FORM = 32 * 1024
_MOST_FIELDS = 20
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPE = "urn:ietf:params:oauth:token-type:"
_TAKEN = frozenset({f"{_TYPE}id_token", f"{_TYPE}jwt"})
_ISSUED = f"{_TYPE}access_token"
_ERRORS = {429: "slow_down", 503: "temporarily_unavailable"}

Headers = list[tuple[str, str]]


def respond(environ: dict[str, Any], *, now: datetime) -> tuple[int, Headers, bytes]:
    """(status, headers, JSON body), as RFC 6749 has them: what is wrong with the request or its token is a 400."""
    try:
        return 200, _headers(), json.dumps(_exchange(environ, now)).encode()
    except TokenError as refusal:
        environ[KEYS_COMING] = refusal.keys_coming
        return _error(refusal)
    except (Unavailable, Error, SecretFileError, ImproperlyConfigured):
        return _error(
            TokenError(503, "UNAVAILABLE", "The panel cannot swap tokens now; try again.", retry_after=5)
        )


def _exchange(environ: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    form = _read_form(environ)
    given = Credentials(form["username"], form["subject_token"])
    seconds = _read_seconds(form.get("expires_in", str(SECONDS_MOST)))
    origin = Origin(client_address(environ), short(str(environ.get("HTTP_USER_AGENT", ""))), now)
    signed_in = sign_in(given, origin)
    if signed_in.pulls_only:
        note_pull_request(signed_in, origin)
        _refuse("An ID token of a pull request cannot be swapped: it may only pull, while it lasts.")
    try:
        password = swap(
            policy_id=signed_in.policy.id, judged_by=_judged_by(signed_in), seconds=seconds, origin=origin
        )
    except NotFound:
        _refuse("The trust policy has just ended or changed; try again.")
    except RateLimited as error:
        raise TokenError(429, "TOOMANYREQUESTS", error.message, retry_after=error.wait) from None
    return {
        "access_token": password,
        "issued_token_type": _ISSUED,
        "token_type": "N_A",  # it is a password, for Basic and not for Bearer
        "expires_in": seconds,
        "username": given.username,
    }


def _judged_by(signed_in: SignedIn) -> Judged:
    policy, issuers = signed_in.policy, signed_in.trust.issuers
    keys = next(each.key_text for each in issuers if each.id == policy.issuer_id)
    return Judged(policy.rules, policy.audience, policy.pull_requests_may_push, policy.preset, keys)


def _read_form(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of the form, each given once. Raise TokenError."""
    if environ.get("REQUEST_METHOD") != "POST":
        raise TokenError(405, "UNSUPPORTED", "Send a form by POST.")
    body = environ["wsgi.input"].read(MAX_FORM + 1)
    if max(len(body), int(environ.get("CONTENT_LENGTH") or 0)) > MAX_FORM:
        _refuse("The form is too long.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        _refuse("The form cannot be read.")
    form = dict(pairs)
    if len(form) != len(pairs):
        _refuse("A field stands twice in the form.")
    _check(form)
    return form


def _check(form: Mapping[str, str]) -> None:
    if form.get("grant_type") != _GRANT:
        raise TokenError(400, "unsupported_grant_type", f"grant_type must be {_GRANT}.")
    if form.get("subject_token_type") not in _TAKEN:
        _refuse(f"subject_token_type must be one of {', '.join(sorted(_TAKEN))}.")
    if form.get("requested_token_type", _ISSUED) != _ISSUED or "actor_token" in form:
        _refuse(
            "Only a password can be had, and for nobody else: leave out requested_token_type and actor_token."
        )
    if not form.get("username"):
        _refuse("username must name the user of the registry that the job is to act as.")
    if not 0 < len(form.get("subject_token", "")) <= MAX_PASSWORD:
        _refuse(f"subject_token must be an ID token, of {MAX_PASSWORD:,} bytes at most.")


def _read_seconds(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(SECONDS_MOST)) else 0
    if not SECONDS_LEAST <= seconds <= SECONDS_MOST:
        _refuse(f"expires_in must be {SECONDS_LEAST} to {SECONDS_MOST} seconds.")
    return seconds


def _refuse(sentence: str) -> NoReturn:
    raise TokenError(400, "invalid_request", sentence)


def _error(refusal: TokenError) -> tuple[int, Headers, bytes]:
    """Answer as RFC 6749 says: 400 to a token that is refused, and a sentence in ASCII, without double quotes."""
    headers = _headers()
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "POST"))
    if refusal.retry_after:
        headers.append(("Retry-After", str(refusal.retry_after)))
    status = 400 if refusal.status == HTTPStatus.UNAUTHORIZED else refusal.status
    code = refusal.code if refusal.code.islower() else _ERRORS.get(refusal.status, "invalid_request")
    return status, headers, json.dumps({"error": code, "error_description": _plain(refusal.message)}).encode()


def _plain(sentence: str) -> str:
    text = sentence.translate({ord("“"): "'", ord("”"): "'", ord("’"): "'", ord('"'): "'", ord("\\"): "/"})
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text)


def _headers() -> Headers:
    return [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("Pragma", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
    ]
