"""Authentication at the token endpoint: from a username and password to the registry user."""

import hmac

from accounts import credentials
from accounts.access_denials import WRONG_PASSWORD, Denied, denials
from accounts.common.client_ip import Origin
from accounts.common.lazy_text import lazy as _
from accounts.id_tokens.verification import looks_like_id_token
from accounts.names import USERNAME
from accounts.pepper_migration import Rehash, rehashes
from accounts.peppers import newest_is_everywhere, peppers
from namespaces.access import AccessContext, Action, UserStatus, decide
from registry_sync.tokens import queries
from registry_sync.tokens.id_token_login import authenticate_id_token
from registry_sync.tokens.recording import record_denial
from registry_sync.tokens.request import Credentials, TokenError, TokenRequest
from registry_sync.tokens.scope import ParsedScopes
from registry_sync.tokens.throttle import failed

_WRONG = (
    "Wrong username or password. Use the generated username and password of a user; its description, and "
    "your own password for the panel, do not work here. For public images sign out first: docker logout."
)
_WRONG_PASSWORD = (WRONG_PASSWORD, _("Sign in with this user's newest password, or replace it."))
_ENDED = "This password has ended. Sign in with the user's newest password."
_SWAPPED_ENDED = "This password was swapped for an ID token, and has ended. Swap a new one."
_ENDED_PASSWORD = (_("the password has ended"), _("Sign in with this user's newest password, or replace it."))


def authenticate(request: TokenRequest, scopes: ParsedScopes, origin: Origin) -> queries.Caller:
    """Return who asks, with the access context of each repository. Raise TokenError (401, 429), Unavailable."""
    repositories = [each.repository for each in scopes.requested]
    if request.credentials:
        if looks_like_id_token(request.credentials.password):
            return authenticate_id_token(request.credentials, scopes.requested, origin)
        return authenticate_user(request.credentials, repositories, origin)
    if not request.scopes:
        raise TokenError(401, "UNAUTHORIZED", "Sign in with the user's name and password.")
    return queries.load_anonymous(repositories=repositories)


def authenticate_user(given: Credentials, repositories: list[str], origin: Origin) -> queries.Caller:
    """Return whose password this is, with the access context of each repository. Raise TokenError, Unavailable.

    Look up by the password's keyed digest, so that timing does not depend on whether the username exists.
    """
    caller = None
    if credentials.well_formed(given.password, credentials.USER_PREFIX):  # a typo never reaches the database
        stored_as = credentials.digests(given.password, peppers())
        caller = queries.load_caller(digests=stored_as, repositories=repositories, now=origin.at)
    user = caller.user if caller else None
    username = given.username.encode("utf-8", "surrogatepass")
    if not caller or not user or not hmac.compare_digest(user.username.encode(), username):
        raise _wrong_password(given.username, origin)
    if user.password_ended:
        raise _ended_password(user, origin)
    if user.user_status is not UserStatus.ACTIVE:
        verdict = decide(AccessContext(user_status=user.user_status), Action.PULL)
        record_denial(user, verdict, origin)
        raise TokenError(401, "UNAUTHORIZED", f"{verdict.reason.capitalize()}.")
    if user.digest != stored_as[0] and newest_is_everywhere(origin.at):
        version = peppers()[0].version
        rehashes.note(Rehash(user.account, user.username, user.secret_id, user.digest, stored_as[0], version))
    return caller


def _wrong_password(username: str, origin: Origin) -> TokenError:
    if USERNAME.fullmatch(username):  # whether anybody has it is found out when it is written
        denials.note(Denied(username, "", "", *_WRONG_PASSWORD, origin))
    return failed(username, origin, _WRONG)


def _ended_password(user: queries.AuthenticatedUser, origin: Origin) -> TokenError:
    """Only who once had it is told so; it counts as a wrong one."""
    denials.note(Denied(user.username, "", "", *_ENDED_PASSWORD, origin, user.account))
    return failed(user.username, origin, _SWAPPED_ENDED if user.policy_id else _ENDED)
