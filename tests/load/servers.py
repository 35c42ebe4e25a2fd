"""What the token door is measured against: the same server with nothing, and with a bare signature, behind it."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")

from registry_sync.token.signing import Signer

signer = Signer(Path(os.environ["DATA_DIR"]) / "secrets")
HEADERS = [("Content-Type", "text/plain")]


def ok(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [b"ok"]


def signed(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    now = int(time.time())
    token = signer.sign(
        {"iss": "x", "sub": "x", "aud": "x", "exp": now + 300, "nbf": now, "iat": now, "access": []}
    )
    start_response("200 OK", HEADERS)
    return [token.encode()]
