"""A digest of what a preview shows, sent back with the confirmation. PURE."""

import hashlib
import json


def fingerprint(value: object) -> str:
    """Return 64 hexadecimal digits for a JSON value. The order of lists and keys counts."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
