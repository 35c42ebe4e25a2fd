"""Issues registry tokens: who asks, what they may, a signed answer. One statement; what is noted is written later."""

import hmac
import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

from accounts import credentials
from accounts.access_denials import KEPT, SOURCES_MOST, Denied, denials
from accounts.common.client_ip import Origin
from accounts.common.lazy_text import lazy as _
from accounts.last_used import Use, uses
from accounts.names import USERNAME
from accounts.pepper_migration import Rehash, rehashes
from accounts.peppers import digests, newest_is_everywhere, peppers
from namespaces.access import AccessContext, Action, UserStatus, Verdict, decide
from registry_sync.tokens import access_list, queries
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.invalid_names import misnamed
from registry_sync.tokens.request import Credentials, TokenError, TokenRequest
from registry_sync.tokens.scope import RequestedAccess, parse_scopes
from registry_sync.tokens.signing import Signer
from registry_sync.tokens.throttle import throttle

# What the sync's own tokens are for, and how long such a token lives.
PANEL_SUBJECT = "registry-manager"
PANEL_TOKEN_SECONDS = 120

_WRONG = (
    "Wrong username or password. Use the generated username and password of a user; its description, and "
    "your own password for the panel, do not work here. For public images sign out first: docker logout."
)
_WRONG_PASSWORD = (_("wrong password"), _("Sign in with this user's newest password, or replace it."))


@dataclass(frozen=True, slots=True)
class IssuedToken:
    token: str = field(repr=False)
    issued_at: datetime
    life: int
    access: list[access_list.ResourceActions]


def issue_token(request: TokenRequest, *, origin: Origin) -> IssuedToken:
    """Return a token. Raise TokenError (400, 401, 429), Unavailable without a database.

    Without a key or pepper, raise what they raise.
    """
    if request.services != {settings.TOKEN_SERVICE}:
        raise TokenError(400, "UNSUPPORTED", "This is not the token service of the registry you named.")
    requested = parse_scopes(request.scopes)
    known = _known(request, requested, origin)
    access = access_list.granted_access(requested, known.facts)
    if known.user:
        uses.note(Use(known.user.username, origin, known.user.account))
        in_vain = access_list.denied_actions(requested, known.facts, access)
        refused = access_list.fold_copy_sources(requested, in_vain, origin.client)
        _note_denials(known.user, request, refused[:KEPT], origin)
        denials.lose(known.user.username, len(refused) - KEPT)
    return _sign(known.user.username if known.user else "", access, origin.at, settings.TOKEN_TTL_SECONDS)


def issue_panel_token(access: list[access_list.ResourceActions], *, now: datetime) -> str:
    """Return a token of the panel's own, made in process: there is no service password that could leak."""
    return _sign(PANEL_SUBJECT, access, now, PANEL_TOKEN_SECONDS).token


def _known(request: TokenRequest, requested: list[RequestedAccess], origin: Origin) -> queries.Caller:
    repositories = [each.repository for each in requested]
    if request.credentials:
        return _authenticated(request.credentials, repositories, origin)
    if not request.scopes:
        raise TokenError(401, "UNAUTHORIZED", "Sign in with the user's name and password.")
    return queries.load_anonymous(repositories=repositories)


def _authenticated(given: Credentials, repositories: list[str], origin: Origin) -> queries.Caller:
    """Found by the password's keyed digest, so nothing about the work depends on whether the name exists."""
    known = None
    if credentials.well_formed(given.password, credentials.USER_PREFIX):  # a typo never reaches the database
        stored_as = digests(given.password)
        known = queries.load_caller(digests=stored_as, repositories=repositories, now=origin.at)
    if not known or not known.user or not _same(known.user.username, given.username):
        raise _wrong_password(given.username, origin)
    if known.user.user_status is not UserStatus.ACTIVE:
        verdict = decide(AccessContext(user_status=known.user.user_status), Action.PULL)
        _note_denial(known.user, verdict, origin)
        raise TokenError(401, "UNAUTHORIZED", f"{verdict.reason.capitalize()}.")
    if known.user.digest != stored_as[0] and newest_is_everywhere(origin.at):
        user = known.user
        rehashes.note(Rehash(user.digest, stored_as[0], peppers()[0].version, user.account, user.username))
    return known


def _wrong_password(username: str, origin: Origin) -> TokenError:
    wait = throttle.failed(origin.address, username, now=int(origin.at.timestamp()))
    if USERNAME.fullmatch(username):  # whether anybody has it is found out when it is written
        denials.note(Denied(username, "", "", *_WRONG_PASSWORD, origin))
    if wait:
        return TokenError(
            429, "TOOMANYREQUESTS", "Too many wrong passwords; wait a minute.", retry_after=wait
        )
    return TokenError(401, "UNAUTHORIZED", _WRONG)


def _note_denials(
    user: queries.AuthenticatedUser,
    request: TokenRequest,
    refused: Iterable[access_list.DeniedAction],
    origin: Origin,
) -> None:
    for each in refused:
        _note_denial(user, each.verdict, origin, each.repository, each.action, each.sources)
    for odd in misnamed(request.scopes):
        denials.note(Denied(user.username, *odd, origin, user.account))


def _note_denial(
    user: queries.AuthenticatedUser,
    verdict: Verdict,
    origin: Origin,
    repository: str = "",
    action: str = "",
    sources: tuple[str, ...] = (),
) -> None:
    why, some = (verdict.reason, verdict.remedy), sources[:SOURCES_MOST]
    denials.note(Denied(user.username, repository, action, *why, origin, user.account, sources=some))


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _sign(subject: str, access: list[access_list.ResourceActions], now: datetime, life: int) -> IssuedToken:
    payload = build_claims(
        issuer=settings.TOKEN_ISSUER, service=settings.TOKEN_SERVICE, subject=subject, access=access,
        now=int(now.timestamp()), life=life, id=random.token_hex(16),
    )  # fmt: skip
    return IssuedToken(signer().sign(payload), now.astimezone(UTC), life, access)


@cache
def signer() -> Signer:
    return Signer(Path(settings.SECRETS_DIR))
