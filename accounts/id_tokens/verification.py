"""Verifies an ID token: that it is one, that its issuer signed it, and that it is for us and for now. PURE.

Nothing that a token says about its own keys is followed (`jku`, `jwk`, `x5u`, `x5c`): the keys are those of its
issuer's row, and the algorithm is that of the key. PyJWT's algorithms check the signature; its `decode` is not used: it
takes times that are text, knows no reasons, and looks at each byte in Python, which takes longer than the signature.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import jwt

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.id_tokens.claims import Claims
from accounts.id_tokens.rules import shown

# Bytes. Tokens of CI services are 1 to 2 kB; those with many groups of a person may have 8.
LONGEST = 12 * 1024
LEEWAY = 60  # seconds
LONGEST_LIFE = 24 * 60 * 60  # seconds from `iat` to `exp`: jobs get tokens of minutes, Kubernetes of an hour
MOST_DEPTH, MOST_VALUES, MOST_AUDIENCES = 8, 1000, 20
LONGEST_KEY_ID = 256
MOST_TRIED = 5  # keys, where several may have signed

# As headers may call them → as PyJWT does.
_ALGORITHMS = {
    "RS256": "RS256",
    "ES256": "ES256",
    "EdDSA": "EdDSA",
    "Ed25519": "EdDSA",  # of RFC 9864
}
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_DOTS = 2
_LATEST = 2**40  # seconds since 1970: beyond any date


class IdTokenError(Exception):
    """The token is refused; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Malformed(IdTokenError):
    """It is no ID token, or none that could be judged."""


class Forged(IdTokenError):
    """The issuer did not sign it."""


class UnknownKey(IdTokenError):
    """A key that the issuer has not shown us may have signed it; it may be genuine."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself, before anybody has vouched for it."""

    issuer: str
    algorithm: str  # as the header calls it
    key_id: str | None
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a genuine token is refused; `kind` as of a RefusedIdToken."""

    kind: str
    reason: LazyText


def looks_like_id_token(password: str) -> bool:
    """Return whether somebody meant this for an ID token. No password that we make looks so."""
    return password.startswith("eyJ") and password.count(".") == _DOTS


def read_unverified(token: str) -> Unverified:
    """Return who is said to have signed `token`. Raise Malformed."""
    if len(token) > LONGEST:
        raise Malformed(_("the ID token is longer than %(most)s bytes", most=LONGEST))
    if not _SHAPE.fullmatch(token):
        raise Malformed(_("this is not an ID token"))
    header_part, claims_part, _signature = token.split(".")
    header, claims = _read(header_part), _read(claims_part)
    algorithm, key_id, issuer = header.get("alg"), header.get("kid"), claims.get("iss")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise Malformed(_("the ID token is not signed with RS256, ES256 or EdDSA"))
    if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT":
        raise Malformed(_("the header of the ID token has an extension or a type that is not supported"))
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= LONGEST_KEY_ID):
        raise Malformed(_("the header of the ID token cannot be read"))
    if not isinstance(issuer, str) or not issuer:
        raise Malformed(_("the ID token names no issuer"))
    return Unverified(issuer, algorithm, key_id, claims)


def verify(token: str, unverified: Unverified, keys: Sequence[jwt.PyJWK]) -> dict[str, Any]:
    """Return the claims of a token that one of its issuer's `keys` signed. Raise UnknownKey, Forged.

    `unverified`: what was read from this very token.
    """
    signed, _dot, written = token.rpartition(".")
    try:
        signature = _decoded(written)
    except ValueError:
        raise Forged(_("the signature of the ID token is wrong")) from None
    named, candidates = _candidates(unverified, keys)
    for key in candidates:
        if key.Algorithm.verify(signed.encode(), key.key, signature):
            return unverified.claims
    if not named:  # another key without a name may have replaced it
        raise UnknownKey(_("the ID token names no key, and none of the issuer’s keys signed it"))
    raise Forged(_("the signature of the ID token is wrong"))


def find_problem(claims: Claims, *, issuer: str, now: datetime) -> Problem | None:
    """Return why genuine claims do not count now, None where they do. Raise Malformed for what no issuer may leave out.

    The audience is left to `find_audience_problem`: each policy has its own.
    """
    if claims.get("iss") != issuer:
        raise Malformed(_("the ID token comes from another issuer"))
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise Malformed(_("the ID token has no “%(claim)s”", claim="sub"))
    ends, begins = _seconds(claims, "exp"), _seconds(claims, "iat")
    not_before = _seconds(claims, "nbf") if "nbf" in claims else begins
    moment = now.timestamp()
    if ends + LEEWAY <= moment:
        return Problem("ended", _ended(moment - ends))
    if max(begins, not_before) - LEEWAY > moment:
        return Problem("ended", _("this ID token is not valid yet; compare the clocks"))
    if ends - begins > LONGEST_LIFE:
        hours = LONGEST_LIFE // 3600
        return Problem("lifetime", _("this ID token is valid for more than %(hours)s hours", hours=hours))
    return None


def find_audience_problem(claims: Claims, audience: str) -> Problem | None:
    """Return what is wrong with whom the token is for, None where it is for `audience`. Raise Malformed."""
    given = claims.get("aud")
    audiences = given if isinstance(given, list) else [given]
    named = [each for each in audiences if isinstance(each, str)]
    if len(named) != len(audiences) or not 0 < len(named) <= MOST_AUDIENCES:
        raise Malformed(_("the ID token has no “%(claim)s”", claim="aud"))
    if audience in named:
        return None
    was = shown(named)
    text = _("“%(claim)s” is %(was)s; the policy requires %(wanted)s", claim="aud", was=was, wanted=audience)
    return Problem("audience", text)


def _candidates(unverified: Unverified, keys: Sequence[jwt.PyJWK]) -> tuple[bool, Sequence[jwt.PyJWK]]:
    """Return the keys that may have signed it: those of that name, or all where names do not tell them apart.

    The first is whether they have that name.
    """
    key_id = unverified.key_id
    found = [key for key in keys if key.key_id == key_id] if key_id is not None else keys
    named = key_id is not None and bool(found)
    if not found and len(keys) == 1 and keys[0].key_id is None:
        found = keys
    if not found:
        raise UnknownKey(_("the key “%(key)s” is not among the issuer’s keys", key=shown([key_id or ""])))
    algorithm = _ALGORITHMS[unverified.algorithm]
    return named, [key for key in found if key.algorithm_name == algorithm][:MOST_TRIED]


def _read(part: str) -> dict[str, Any]:
    """Return the JSON object in one part of a token. Raise Malformed, also for a name that stands twice in it."""
    try:
        found = json.loads(_decoded(part), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Malformed(_("the ID token cannot be read")) from None
    if not isinstance(found, dict) or not _bounded(found):
        raise Malformed(_("the ID token cannot be read"))
    return found


def _decoded(part: str) -> bytes:
    """Raise ValueError."""
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError


def _bounded(value: Any) -> bool:
    """Return whether it is neither deep nor of very many values."""
    level: list[Any] = [value]
    count = 0
    for _depth in range(MOST_DEPTH):
        count += len(level)
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict | list):
                inner += each.values() if isinstance(each, dict) else each
        level = inner
        if not level or count > MOST_VALUES:
            break
    return not level and count <= MOST_VALUES


def _seconds(claims: Claims, claim: str) -> float:
    """Return a time in seconds since 1970. Raise Malformed: text is none, nor is `true`."""
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(_("the ID token has no “%(claim)s”", claim=claim))
    if not 0 <= value < _LATEST:  # nor is NaN, or a number too large for math.isfinite
        raise Malformed(_("the ID token has no “%(claim)s”", claim=claim))
    return value


def _ended(seconds: float) -> LazyText:
    minutes = int(seconds // 60)
    for size, text in _AGES:
        if minutes >= 2 * size:
            return text(minutes // size)
    return _minutes_ago(minutes)


def _minutes_ago(n: int) -> LazyText:
    return ngettext("this ID token ended %(n)s minute ago", "this ID token ended %(n)s minutes ago", n)


def _hours_ago(n: int) -> LazyText:
    return ngettext("this ID token ended %(n)s hour ago", "this ID token ended %(n)s hours ago", n)


def _days_ago(n: int) -> LazyText:
    return ngettext("this ID token ended %(n)s day ago", "this ID token ended %(n)s days ago", n)


_AGES: Iterable[tuple[int, Callable[[int], LazyText]]] = ((24 * 60, _days_ago), (60, _hours_ago))
