"""Issues registry tokens: authenticate, authorize, record, sign. One statement; records are written later."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

from accounts.common.client_ip import Origin
from registry_sync.tokens.access_list import ResourceActions, authorize
from registry_sync.tokens.authentication import authenticate
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.recording import record
from registry_sync.tokens.request import TokenError, TokenRequest
from registry_sync.tokens.results import Result
from registry_sync.tokens.scope import parse_scopes
from registry_sync.tokens.signing import Signer

# The subject of tokens that the panel makes for its own requests, and how long such a token is valid.
PANEL_SUBJECT = "registry-manager"
PANEL_TOKEN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class IssuedToken:
    token: str = field(repr=False)
    issued_at: datetime
    expires_in: int  # seconds
    access: list[ResourceActions]
    result: Result = Result.GRANTED


def issue_token(request: TokenRequest, *, origin: Origin) -> IssuedToken:
    """Return a token for what the caller may do of what it asks.

    Raise TokenError (400, 401, 429), Unavailable without a database, SecretFileError without a signing key, and
    ImproperlyConfigured without a pepper.
    """
    if request.services != {settings.TOKEN_SERVICE}:
        raise TokenError(400, "UNSUPPORTED", "This is not the token service of the registry you named.")
    scopes = parse_scopes(request.scopes)
    caller = authenticate(request, scopes, origin)
    access = authorize(scopes.requested, caller.contexts)
    result = record(caller, scopes, access, origin)
    username = caller.user.username if caller.user else ""
    return sign(username, access, origin.at, settings.TOKEN_TTL_SECONDS, result)


def issue_panel_token(access: list[ResourceActions], *, now: datetime) -> str:
    """Return a token of the panel's own, made in process: there is no service password that could leak."""
    return sign(PANEL_SUBJECT, access, now, PANEL_TOKEN_SECONDS).token


def sign(
    subject: str,
    access: list[ResourceActions],
    now: datetime,
    expires_in: int,
    result: Result = Result.GRANTED,
) -> IssuedToken:
    """`subject`: a username, "" for anonymous. `expires_in`: seconds."""
    payload = build_claims(
        issuer=settings.TOKEN_ISSUER, service=settings.TOKEN_SERVICE, subject=subject, access=access,
        now=int(now.timestamp()), expires_in=expires_in, id=secrets.token_hex(16),
    )  # fmt: skip
    return IssuedToken(signer().sign(payload), now.astimezone(UTC), expires_in, access, result)


@cache
def signer() -> Signer:
    return Signer(Path(settings.SECRETS_DIR))
