"""The claims of a registry token. PURE.

Distribution 2.8 wants `aud` as a string and every time as an integer; 60 s of leeway either way are its own.
"""

from typing import Any

from registry_sync.tokens.access_list import ResourceActions

# A registry whose clock is a little behind must not find the token "not yet valid".
NOT_BEFORE_LEEWAY = 30


def build_claims(
    *,
    issuer: str,
    service: str,
    subject: str,
    access: list[ResourceActions],
    now: int,
    expires_in: int,
    id: str,  # noqa: A002
) -> dict[str, Any]:
    """`now` and `expires_in` in seconds; `subject` "" for anonymous; `id` from a CSPRNG."""
    return {
        "iss": issuer,
        "sub": subject,
        "aud": service,
        "exp": now + expires_in,
        "nbf": now - NOT_BEFORE_LEEWAY,
        "iat": now,
        "jti": id,
        "access": access,
    }
