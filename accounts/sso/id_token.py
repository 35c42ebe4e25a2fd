"""Verify the ID token that the provider gave for a sign-in (OpenID Connect Core 3.1.3.7). PURE."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import jwt

from accounts.common.lazy_text import lazy as _

# Public keys alone: with HS256 the client secret would sign. `Ed25519` is RFC 9864's name of EdDSA, unknown to PyJWT.
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY: Final = 60  # seconds by which the two clocks may differ
TOKEN_MAX: Final = 64 * 1024
KEYS_MAX: Final = 100
SUBJECT_MAX: Final = 255  # characters (OpenID Connect Core 2)


class Untrusted(Exception):
    """What the provider sent proves nothing. `text` is for the person. `unknown_key`: newer keys may help."""

    def __init__(self, text: str, *, unknown_key: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.unknown_key = unknown_key


def verify(token: str, *, keys: object, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """Return the claims. `keys` is the provider's JWKS as JSON. Raise Untrusted, and nothing else."""
    if len(token) > TOKEN_MAX:
        raise Untrusted(_("The ID token is too long."))
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise Untrusted(_("The provider sent no valid ID token.")) from None
    algorithm = str(header.get("alg"))
    if algorithm not in ALGORITHMS:
        raise Untrusted(
            _(
                "The ID token is signed with %(algorithm)s, which the panel does not accept.",
                algorithm=algorithm[:20],
            )
        )
    claims = _signed(token, _candidates(keys, header.get("kid"), algorithm), algorithm, issuer, client_id)
    if not claims["sub"] or len(claims["sub"]) > SUBJECT_MAX or not claims["sub"].isprintable():
        raise Untrusted(_("The ID token does not say who signed in."))
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims):
        raise Untrusted(_("The ID token was made for another client."))
    if claims.get("nonce") != nonce:
        raise Untrusted(_("The ID token belongs to another sign-in."))
    return claims


def _signed(
    token: str, keys: Iterable[jwt.PyJWK], algorithm: str, issuer: str, client_id: str
) -> dict[str, Any]:
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer,
                audience=client_id,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.InvalidSignatureError:
            continue  # two keys may have one id
        except jwt.ExpiredSignatureError:
            raise Untrusted(_("The ID token has ended. Is the clock of this machine right?")) from None
        except jwt.ImmatureSignatureError:
            raise Untrusted(_("The ID token is not valid yet. Is the clock of this machine right?")) from None
        except jwt.InvalidIssuerError:
            raise Untrusted(_("The ID token names another issuer.")) from None
        except jwt.InvalidAudienceError:
            raise Untrusted(_("The ID token was made for another client.")) from None
        except jwt.PyJWTError:
            raise Untrusted(_("The provider sent no valid ID token.")) from None
        else:
            return claims
    raise Untrusted(_("None of the provider’s keys matches the signature of the ID token."), unknown_key=True)


def _candidates(keys: object, kid: object, algorithm: str) -> list[jwt.PyJWK]:
    """Return the keys that may have signed: those with this `kid`, or all where token or key has none."""
    listed = keys.get("keys") if isinstance(keys, Mapping) else None
    found = []
    for each in listed[:KEYS_MAX] if isinstance(listed, list) else ():
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") == "oct":
            continue
        if kid is not None and each.get("kid", kid) != kid:
            continue
        try:
            found.append(jwt.PyJWK(each, algorithm=each.get("alg", algorithm)))
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # of a kind that we do not know
    return [each for each in found if each.algorithm_name == algorithm]
