"""Who has signed in, as the provider's claims say it. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

GROUPS_MAX: Final = 2000
GROUP_MAX: Final = 255
NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """`uid` names the person at this provider, and at no other. `email` is "" where none was sent.

    `groups_cut`: the provider left the groups out because they are too many (Microsoft Entra). `groups_left_out`: how
    many it sent beyond GROUPS_MAX, by name; they count for nothing.
    `authenticated_at` is the moment, in seconds since 1970, at which the person last proved who they are; None: unsaid.
    """

    uid: str
    email: str
    email_verified: bool
    name: str
    groups: tuple[str, ...]
    groups_cut: bool
    authenticated_at: int | None
    groups_left_out: int = 0


def read(
    id_token: Mapping[str, Any], userinfo: Mapping[str, Any], *, groups_claim: str, trust_email: bool
) -> Identity:
    """Return the identity. What both hold is taken from userinfo, which providers keep fuller.

    `trust_email`: an address of which the provider does not say whether it is verified counts as verified.
    """
    claims = {**id_token, **userinfo}
    email = claims.get("email")
    verified = _says_verified(email, (userinfo, id_token), otherwise=trust_email)
    at = id_token.get("auth_time")
    groups = _groups(claims, groups_claim)
    return Identity(
        uid=uid(str(id_token["iss"]), str(id_token["sub"])),
        email=email if isinstance(email, str) else "",
        email_verified=verified,
        name=_text(claims.get("name")) or _text(claims.get("preferred_username")),
        groups=groups[:GROUPS_MAX],
        groups_cut=_are_cut(claims, groups_claim),
        authenticated_at=at if isinstance(at, int) and not isinstance(at, bool) else None,
        groups_left_out=max(0, len(groups) - GROUPS_MAX),
    )


def _says_verified(email: object, told: Iterable[Mapping[str, Any]], *, otherwise: bool) -> bool:
    """Return what the first says that says it of this address: what the other says may be of an older one."""
    for claims in told:
        if claims.get("email") == email and "email_verified" in claims:
            return claims["email_verified"] is True or claims["email_verified"] == "true"
    return otherwise


def uid(issuer: str, subject: str) -> str:
    """Return a digest of both: the same subject at another provider is somebody else."""
    return sha256(f"{issuer.rstrip('/')} {subject}".encode()).hexdigest()


def _text(value: object) -> str:
    return value[:NAME_MAX] if isinstance(value, str) and value.isprintable() else ""


def _groups(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    value = _at(claims, claim)
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    names = {each for each in listed if isinstance(each, str) and _is_name(each)}
    return tuple(sorted(names))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= GROUP_MAX and text.isprintable()


def _at(claims: Mapping[str, Any], claim: str) -> object:
    """Return the claim; a name with dots is also a path, as `realm_access.roles` of Keycloak."""
    if claim in claims:
        return claims[claim]
    found: object = claims
    for part in claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _are_cut(claims: Mapping[str, Any], claim: str) -> bool:
    elsewhere = claims.get("_claim_names")
    return claims.get("hasgroups") is True or (isinstance(elsewhere, Mapping) and claim in elsewhere)
