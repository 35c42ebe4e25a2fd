"""An ID token that somebody pasted: what it says, and whether it would hold here. It is read once and never kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.common.errors import Invalid
from accounts.common.translation import translate
from accounts.id_tokens import jwks
from accounts.id_tokens.claims import flat, kept, storable
from accounts.id_tokens.presets import Preset, preset_of, preset_of_issuer
from accounts.id_tokens.verification import (
    IdTokenError,
    Unverified,
    find_audience_problem,
    find_problem,
    read_unverified,
    verify,
)
from accounts.models import Account, IdTokenIssuer
from accounts.models.id_token_issuer import URL_MAX
from accounts.selectors import usable_issuers
from accounts.services.trust_policies import audiences


@dataclass(frozen=True)
class Check:
    """`tone` is one of `cells.state`."""

    text: str
    tone: str


@dataclass(frozen=True)
class PastedToken:
    """`claims` as they can be shown. `issuer` is the one whose key signed it, or else one of that address, or None."""

    claims: dict[str, Any]
    lines: list[tuple[str, str]]
    preset: Preset
    issuer: IdTokenIssuer | None
    checks: list[Check]


def read(text: str, account: Account, now: datetime) -> PastedToken:
    """Raise Invalid on "token" for what is no ID token."""
    token = "".join(text.split())
    try:
        unverified = read_unverified(token)
    except IdTokenError as error:
        raise Invalid.on("token", _sentence(error.reason)) from None
    name = unverified.issuer
    usable = usable_issuers(account).filter(url=name) if name.isprintable() and len(name) <= URL_MAX else []
    issuers = list(usable)
    issuer, signature = _signature(token, unverified, issuers)
    slug = issuer.preset if issuer else ""
    preset = preset_of_issuer(unverified.issuer) or preset_of(slug)
    claims, shown = unverified.claims, kept(unverified.claims)
    lines = [(name, ", ".join(values)) for name, values in flat(shown).items()]
    checks = [signature, _audience(claims, account), _end(claims, unverified.issuer, now)]
    if preset.is_pull_request(claims):
        checks.append(Check(_("It comes from a pull request: such jobs may only pull."), "warn"))
    return PastedToken(shown, lines, preset, issuer, checks)


def _signature(
    token: str, unverified: Unverified, issuers: Sequence[IdTokenIssuer]
) -> tuple[IdTokenIssuer | None, Check]:
    if not issuers:
        words = _("Its issuer %(issuer)s is not one that this account may trust.")
        return None, Check(words % {"issuer": storable(unverified.issuer, URL_MAX)}, "bad")
    reason = ""
    for issuer in issuers:
        try:
            verify(token, unverified, jwks.parsed(issuer.key_text))
        except IdTokenError as error:
            reason = error.reason
        else:
            return issuer, Check(_("Signed by %(issuer)s.") % {"issuer": unverified.issuer}, "good")
    if not any(each.key_text for each in issuers):
        return issuers[0], Check(
            _("The keys of its issuer have not arrived yet, so its signature cannot be checked."), "warn"
        )
    return issuers[0], Check(_sentence(reason), "bad")


def _audience(claims: dict[str, Any], account: Account) -> Check:
    ours, reason = audiences(account), ""
    for audience in reversed(ours):  # the usual one is named last
        try:
            problem = find_audience_problem(claims, audience)
        except IdTokenError as error:
            return Check(_sentence(error.reason), "bad")
        if not problem:
            return Check(_("Made for %(audience)s.") % {"audience": audience}, "good")
        reason = problem.reason
    return Check(_sentence(reason), "bad")


def _end(claims: dict[str, Any], issuer: str, now: datetime) -> Check:
    try:
        problem = find_problem(claims, issuer=issuer, now=now)
    except IdTokenError as error:
        return Check(_sentence(error.reason), "bad")
    if problem:
        return Check(_sentence(problem.reason), "bad")
    minutes = max(int((claims["exp"] - now.timestamp()) // 60), 0)
    words = ngettext("It ends in %(n)s minute.", "It ends in %(n)s minutes.", minutes)
    return Check(words % {"n": minutes}, "good")


def _sentence(reason: str) -> str:
    return f"{capfirst(translate(reason))}."
