"""Signs what is sent, so that a receiver knows who sent it. PURE.

Standard Webhooks signs id, time and body with each secret in use. What GitHub and Flux read holds one signature of the
body alone, by the newest secret: its whole text is the key, as people paste it there.
"""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

PREFIX = "whsec_"


def signature_headers(
    body: bytes, *, message_id: str, timestamp: int, secrets: Sequence[str]
) -> dict[str, str]:
    """Return headers by name. `secrets`: as whsec_…, the newest first; `timestamp`: seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    whole = "sha256=" + hmac.new(secrets[0].encode(), body, sha256).hexdigest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(signed, each)}" for each in secrets),
        "X-Hub-Signature-256": whole,
        "X-Signature": whole,
    }


def _signature(signed: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
