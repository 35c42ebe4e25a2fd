"""Issues registry tokens: who asks, what they may, a signed answer. One statement, no write."""

import hmac
import secrets as random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

from accounts import secrets
from accounts.peppers import digests
from accounts.uses import Use, uses
from namespaces.access import Standing
from registry_sync.token import facts, grants
from registry_sync.token.claims import claims
from registry_sync.token.request import Credentials, Refusal, TokenRequest
from registry_sync.token.scope import Requested, TooMuch, parse
from registry_sync.token.signing import Signer
from registry_sync.token.throttle import throttle

# What the sync's own tokens are for, and how long such a token lives.
PANEL_SUBJECT = "registry-manager"
PANEL_LIFE = 120

_WRONG = (
    "Wrong username or password. Use the generated username and password of a user; its description, and "
    "your own password for the panel, do not work here. For public images sign out first: docker logout."
)
_STANDING = {
    Standing.DISABLED: "This user is disabled.",
    Standing.EXPIRED: "This user has expired.",
    Standing.ACCOUNT_CLOSED: "The registry account of this user is closed.",
}


@dataclass(frozen=True, slots=True)
class Issued:
    token: str = field(repr=False)
    issued_at: datetime
    life: int
    access: list[grants.Access]


def issue(request: TokenRequest, *, now: datetime, address: str, client: str) -> Issued:
    """Raises Refusal (400, 401, 429), Unavailable without a database; without a key or pepper what they raise."""
    if request.services != {settings.TOKEN_SERVICE}:
        raise Refusal(400, "UNSUPPORTED", "This is not the token service of the registry you named.")
    try:
        requested = parse(request.scopes)
    except TooMuch as error:
        raise Refusal(400, "UNSUPPORTED", f"Too much at once: {error}.") from None
    known = _known(request, requested, now, address)
    if known.user:
        uses.note(Use(known.user.id, now, address, client))
    access = grants.access_list(requested, known.facts)
    return _sign(known.user.username if known.user else "", access, now, settings.TOKEN_TTL)


def issue_for_panel(access: list[grants.Access], *, now: datetime) -> str:
    """A token of the panel's own, made in process: there is no service password that could leak."""
    return _sign(PANEL_SUBJECT, access, now, PANEL_LIFE).token


def _known(request: TokenRequest, requested: list[Requested], now: datetime, address: str) -> facts.Known:
    repositories = [each.repository for each in requested]
    if request.credentials:
        return _authenticated(request.credentials, repositories, now, address)
    if not request.scopes:
        raise Refusal(401, "UNAUTHORIZED", "Sign in with the user's name and password.")
    return facts.load_public(repositories=repositories)


def _authenticated(given: Credentials, repositories: list[str], now: datetime, address: str) -> facts.Known:
    """Found by the password's keyed digest, so nothing about the work depends on whether the name exists."""
    known = None
    if secrets.well_formed(given.password, secrets.USER_PREFIX):  # a typo never reaches the database
        known = facts.load(digests=digests(given.password), repositories=repositories, now=now)
    if not known or not known.user or not _same(known.user.username, given.username):
        wait = throttle.failed(address, given.username, now=int(now.timestamp()))
        if wait:
            raise Refusal(
                429, "TOOMANYREQUESTS", "Too many wrong passwords; wait a minute.", retry_after=wait
            )
        raise Refusal(401, "UNAUTHORIZED", _WRONG)
    if known.user.standing is not Standing.ACTIVE:
        raise Refusal(401, "UNAUTHORIZED", _STANDING[known.user.standing])
    return known


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _sign(subject: str, access: list[grants.Access], now: datetime, life: int) -> Issued:
    payload = claims(
        issuer=settings.TOKEN_ISSUER, service=settings.TOKEN_SERVICE, subject=subject, access=access,
        now=int(now.timestamp()), life=life, id=random.token_hex(16),
    )  # fmt: skip
    return Issued(signer().sign(payload), now.astimezone(UTC), life, access)


@cache
def signer() -> Signer:
    return Signer(Path(settings.SECRETS_DIR))
