"""Signing in with an ID token in place of a password: which of the user's trust policies lets it in, and how far.

Nothing is fetched here. A key that is not known yet is asked for, and the client told to come again. A genuine token
is never counted as a wrong password, whatever the policies say to it: a job that is refused must not keep others out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from django.db import Error

from accounts.access_denials import Denied, denials
from accounts.common.client_ip import Origin
from accounts.common.errors import Unavailable
from accounts.common.lazy_text import lazy as _
from accounts.id_tokens import claims as claim_texts
from accounts.id_tokens import jwks, keys, rules
from accounts.id_tokens.presets import preset_of
from accounts.id_tokens.verification import (
    IdTokenError,
    Problem,
    UnknownKey,
    Unverified,
    find_audience_problem,
    find_problem,
    read_unverified,
    verify,
)
from accounts.models import Denial, RefusedIdToken
from accounts.models.id_token_issuer import URL_MAX
from accounts.names import USERNAME
from accounts.refused_id_tokens import Refused, refused_id_tokens
from namespaces.access import AccessContext, Action, UserStatus, allowed_actions, decide
from registry_sync.tokens import queries
from registry_sync.tokens.queries import Policy, Trust
from registry_sync.tokens.recording import record_denial
from registry_sync.tokens.request import Credentials, TokenError
from registry_sync.tokens.scope import RequestedAccess
from registry_sync.tokens.throttle import failed

_REMEDY: Final = _("Compare its claims with the user’s trust policies.")
_NOT_TRUSTED: Final = _("the user does not exist, or trusts no ID tokens of this issuer")
_OTHERS: Final = _("no trust policy of the user accepts this ID token")
_PULL_REQUEST: Final = _("the ID token comes from a pull request, which may only pull")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A genuine token that a policy lets in; with `pulls_only` it may not push."""

    trust: Trust
    policy: Policy
    claims: dict[str, Any]
    pulls_only: bool

    @property
    def user(self) -> queries.AuthenticatedUser:
        trust = self.trust
        return queries.AuthenticatedUser(
            trust.username, trust.account, 0, "", False, trust.user_status, self.policy.id
        )


def authenticate_id_token(
    given: Credentials, requested: Sequence[RequestedAccess], origin: Origin
) -> queries.Caller:
    """Return who signs in, with the access context of each repository.

    Raise TokenError (401, 429, 503), Unavailable.
    """
    signed_in = sign_in(given, origin)
    trust = signed_in.trust
    contexts = queries.load_contexts(
        username=trust.username,
        user_status=trust.user_status,
        repositories=[each.repository for each in requested],
        now=origin.at,
    )
    if signed_in.pulls_only:
        capped = {name: replace(context, pulls_only=True) for name, context in contexts.items()}
        if any(_is_capped(contexts[each.repository], capped[each.repository], each) for each in requested):
            note_pull_request(signed_in, origin)
        contexts = capped
    return queries.Caller(signed_in.user, contexts)


def sign_in(given: Credentials, origin: Origin) -> SignedIn:
    """Return what lets the token in. Raise TokenError (401, 429, 503), Unavailable."""
    trust, claims, policies = _verified(given, origin)
    try:
        problem = find_problem(claims, issuer=claims["iss"], now=origin.at)
        judged = [_judge(policy, claims) for policy in policies]
    except IdTokenError as error:
        raise _refused(trust, error.reason, origin) from None
    nearest = min(judged, key=lambda each: each.distance)
    if problem or nearest.distance:
        raise _refused_by_policy(trust, nearest, claims, problem, origin)
    if trust.user_status is not UserStatus.ACTIVE:
        verdict = decide(AccessContext(user_status=trust.user_status), Action.PULL)
        record_denial(SignedIn(trust, nearest.policy, claims, False).user, verdict, origin)
        raise TokenError(401, "UNAUTHORIZED", f"{verdict.reason.capitalize()}.")
    return _least_bound(trust, [each.policy for each in judged if not each.distance], claims)


def note_pull_request(signed_in: SignedIn, origin: Origin) -> None:
    """Keep that a pull request may not do what it asked for."""
    trust, policy = signed_in.trust, signed_in.policy
    kept = claim_texts.kept(signed_in.claims)
    kind = RefusedIdToken.PULL_REQUEST
    refused_id_tokens.note(
        Refused(trust.account, trust.username, policy.id, kind, _PULL_REQUEST, kept, origin)
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a policy says to the claims; at distance 0 it lets them in."""

    policy: Policy
    audience: Problem | None
    mismatches: tuple[rules.Mismatch, ...]
    usable: bool

    @property
    def distance(self) -> int:
        return (self.audience is not None) + len(self.mismatches) + (not self.usable)

    @property
    def reason(self) -> str:
        if not self.usable:
            return _("the trust policy does not say whose jobs it trusts")
        texts = [self.audience.reason] if self.audience else []
        return rules.joined_reasons([*texts, *(each.reason for each in self.mismatches)])

    @property
    def is_of_strangers(self) -> bool:
        """Whether the token is of somebody whom the policy does not mean at all."""
        owners = preset_of(self.policy.preset).owner_claims
        return any(each.claim in owners for each in self.mismatches)


def _verified(given: Credentials, origin: Origin) -> tuple[Trust, dict[str, Any], list[Policy]]:
    """Return whom the token may be for, its claims, and the policies that trust who signed it."""
    try:
        unverified = read_unverified(given.password)
        trust = _load_trust(given.username, unverified.issuer, origin)
        claims, issuer_ids = _verify(given.password, unverified, trust, origin)
    except IdTokenError as error:
        raise _not_genuine(given.username, error.reason, origin) from None
    return trust, claims, [policy for policy in trust.policies if policy.issuer_id in issuer_ids]


def _load_trust(username: str, issuer: str, origin: Origin) -> Trust:
    trust = None
    if USERNAME.fullmatch(username) and len(issuer) <= URL_MAX and issuer.isprintable():
        trust = queries.load_trust(username=username, issuer=issuer, now=origin.at)
    if not trust:
        raise IdTokenError(_NOT_TRUSTED)
    return trust


def _verify(
    token: str, unverified: Unverified, trust: Trust, origin: Origin
) -> tuple[dict[str, Any], frozenset[int]]:
    """Return the claims, and the issuers whose keys signed them. Raise TokenError (503), IdTokenError."""
    unknown: list[int] = []
    signed_by: set[int] = set()
    failure = IdTokenError(_NOT_TRUSTED)
    for issuer in trust.issuers:
        try:
            verify(token, unverified, jwks.parsed(issuer.key_text))
            signed_by.add(issuer.id)
        except UnknownKey as error:
            unknown.append(issuer.id)
            failure = error
        except IdTokenError as error:
            failure = error
    if signed_by:
        return unverified.claims, frozenset(signed_by)
    coming = frozenset(each for each in unknown if _ask_for_keys(each))
    if coming:
        raise TokenError(
            503, "UNAVAILABLE", "The keys of the ID token's issuer are being fetched; try again.",
            retry_after=keys.RETRY_AFTER, keys_coming=coming,
        )  # fmt: skip
    raise failure


def _ask_for_keys(issuer_id: int) -> bool:
    try:
        return keys.ask_refresh(issuer_id)
    except Error as error:
        raise Unavailable(str(error)) from error


def _judge(policy: Policy, claims: dict[str, Any]) -> _Judged:
    found = _read_rules(policy.rules, policy.preset, claims["iss"])
    audience = find_audience_problem(claims, policy.audience)
    return _Judged(policy, audience, rules.match(found or {}, claims), usable=found is not None)


@lru_cache(maxsize=1024)
def _read_rules(text: str, preset: str, issuer: str) -> rules.Rules | None:
    return rules.read(text, preset_of(preset), issuer)


def _least_bound(trust: Trust, policies: list[Policy], claims: dict[str, Any]) -> SignedIn:
    """Of the policies that let the token in, one that lets it push counts more."""
    policy = next((each for each in policies if each.pull_requests_may_push), policies[0])
    is_pull_request = preset_of(policy.preset).is_pull_request(claims)
    return SignedIn(trust, policy, claims, is_pull_request and not policy.pull_requests_may_push)


def _is_capped(full: AccessContext, capped: AccessContext, asked: RequestedAccess) -> bool:
    return allowed_actions(full, asked.actions) != allowed_actions(capped, asked.actions)


def _not_genuine(username: str, reason: str, origin: Origin) -> TokenError:
    if USERNAME.fullmatch(username):  # whether anybody has it is found out when it is written
        denials.note(Denied(username, "", Denial.ID_TOKEN, reason, _REMEDY, origin))
    return failed(username, origin, _sentence(reason))


def _refused(trust: Trust, reason: str, origin: Origin) -> TokenError:
    """Return the answer to a genuine one, which is not counted as a wrong password."""
    denials.note(Denied(trust.username, "", Denial.ID_TOKEN, reason, _REMEDY, origin, trust.account))
    return TokenError(401, "UNAUTHORIZED", _sentence(reason))


def _refused_by_policy(
    trust: Trust, nearest: _Judged, claims: dict[str, Any], problem: Problem | None, origin: Origin
) -> TokenError:
    """Keep its claims, and return the answer.

    What the policy wants is told to members, and to jobs of those whom it means, but to no stranger.
    """
    kind, reason = RefusedIdToken.RULES, nearest.reason
    about = [f"{each.claim}={each.was}" for each in nearest.mismatches]
    if nearest.audience:
        kind = RefusedIdToken.AUDIENCE
    if problem and not nearest.is_of_strangers:
        kind, reason, about = problem.kind, problem.reason, []
    if nearest.is_of_strangers:
        about = []
    kept = claim_texts.kept(claims)
    refused_id_tokens.note(
        Refused(trust.account, trust.username, nearest.policy.id, kind, reason, kept, origin, tuple(about))
    )
    answer = _refused(trust, reason, origin)
    if nearest.is_of_strangers:
        answer = TokenError(401, "UNAUTHORIZED", _sentence(_OTHERS))
    return answer


def _sentence(reason: str) -> str:
    """As clients print it."""
    return f"{reason[:1].upper()}{reason[1:]}."
