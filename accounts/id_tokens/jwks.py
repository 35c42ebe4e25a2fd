"""Reads a JWKS that an issuer publishes or somebody pastes: bounded, and of its keys those that may verify. PURE.

`PyJWKSet` leaves out keys without a `kid`, and fails as a whole where one is broken. So each key is read alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from accounts.common.json_fields import read_mapping, read_mappings
from accounts.common.lazy_text import LazyText, verbatim
from accounts.common.lazy_text import lazy as _

MOST_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 100
RSA_BITS: Final = (2048, 8192)  # below, it can be broken; above, each token costs much
_EXPONENT_MAX: Final = 2**32
_MEMBER_MAX: Final = 1400  # characters; a modulus of 8192 bits has 1366
_KEPT_SETS: Final = 128  # parsed ones, in each process


@dataclass(frozen=True, slots=True)
class _Kind:
    """One `kty`: the algorithm of ours, as a key's `alg` may call it, the curve, and the members of a public key."""

    algorithm: str
    names: tuple[str, ...]
    curve: str
    members: tuple[str, ...]


_KINDS: Final = {
    "RSA": _Kind("RS256", ("RS256",), "", ("n", "e")),
    "EC": _Kind("ES256", ("ES256",), "P-256", ("crv", "x", "y")),
    "OKP": _Kind("EdDSA", ("EdDSA", "Ed25519"), "Ed25519", ("crv", "x")),
}


class Unusable(Exception):
    """The text is no JWKS that ID tokens can be verified with. `text` is a LazyText: why."""

    def __init__(self, text: LazyText) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class KeySet:
    """`text`: a JWKS with just these keys and what is needed of them."""

    keys: tuple[jwt.PyJWK, ...]
    text: str


def read(text: str) -> KeySet:
    """Return the public keys for RS256, ES256 and EdDSA; others are left out. Raise Unusable where none is left."""
    keys, kept, reasons = list[jwt.PyJWK](), list[dict[str, str]](), list[LazyText]()
    for each in _listed(text):
        try:
            members, kind = _members(each)
            keys.append(_key(members, kind))
        except Unusable as unusable:
            reasons.append(unusable.text)
            continue
        kept.append(members)
    if not keys:
        raise Unusable(reasons[0] if reasons else _("The key set is empty."))
    return KeySet(tuple(keys), json.dumps({"keys": kept}, separators=(",", ":")))


@lru_cache(maxsize=_KEPT_SETS)
def parsed(text: str) -> tuple[jwt.PyJWK, ...]:
    """Return the keys of a stored JWKS, read once in each process; none of a text that holds none."""
    try:
        return read(text).keys
    except Unusable:
        return ()


def holds_all(text: str, earlier: str) -> bool:
    """Return whether a stored JWKS still has every key of the `earlier` one. Text that is none has no key."""
    kept = _keys_in(text)
    return all(each in kept for each in _keys_in(earlier))


def _keys_in(text: str) -> list[dict[str, Any]]:
    try:
        return read_mappings(json.loads(read(text).text)["keys"])
    except Unusable:
        return []


def read_pasted(text: str) -> KeySet:
    """As `read`, of what a person pasted. One key that should be secret refuses all of it."""
    for number, each in enumerate(_listed(text), 1):
        if "d" in each or "k" in each or each.get("kty") == "oct":
            name = verbatim(str(each.get("kid") or number)[:80])
            raise Unusable(_("This is a private key (%(key)s). Paste the public keys alone.", key=name))
    return read(text)


def _listed(text: str) -> list[dict[str, Any]]:
    """Return the keys of a set, or the one that stands alone. Raise Unusable."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise Unusable(_("The key set is longer than %(most)s bytes.", most=MOST_BYTES))
    try:
        whole = read_mapping(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        raise Unusable(_("This is not JSON.")) from None
    found = read_mappings([whole] if "kty" in whole else whole.get("keys"))
    if "kty" not in whole and not isinstance(whole.get("keys"), list):
        raise Unusable(_("This is not a JWKS: it has no “keys”."))
    if len(found) > MOST_KEYS:
        raise Unusable(_("The key set has more than %(most)s keys.", most=MOST_KEYS))
    return found


def _no_constant(_name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError


def _members(each: Mapping[str, Any]) -> tuple[dict[str, str], _Kind]:
    """Return what is needed of a key that may verify ID tokens. Raise Unusable."""
    if "d" in each or "k" in each:
        raise Unusable(_("It publishes a private key."))
    kind = _KINDS.get(str(each.get("kty")))
    operations = each.get("key_ops", ["verify"])
    if each.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise Unusable(_("Its keys are not for signatures."))
    if not kind or each.get("alg", kind.algorithm) not in kind.names or each.get("crv", "") != kind.curve:
        raise Unusable(_("The key set has no key for RS256, ES256 or EdDSA."))
    names = ("kty", *(("kid",) if "kid" in each else ()), *kind.members)
    members: dict[str, Any] = {name: each.get(name) for name in names}
    if not all(isinstance(value, str) and value.isprintable() for value in members.values()):
        raise Unusable(_("A key in the set cannot be read."))
    if any(len(value) > _MEMBER_MAX for value in members.values()):
        raise Unusable(_wrong_size())
    return members, kind


def _key(members: dict[str, str], kind: _Kind) -> jwt.PyJWK:
    try:
        key = jwt.PyJWK(members, algorithm=kind.algorithm)
    except (jwt.PyJWTError, ValueError):
        raise Unusable(_("A key in the set cannot be read.")) from None
    if isinstance(key.key, RSAPublicKey):
        least, most = RSA_BITS
        if not least <= key.key.key_size <= most or key.key.public_numbers().e > _EXPONENT_MAX:
            raise Unusable(_wrong_size())
    return key


def _wrong_size() -> LazyText:
    least, most = RSA_BITS
    return _("RSA keys must have %(least)s to %(most)s bits.", least=least, most=most)
