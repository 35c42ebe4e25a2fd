"""What somebody agrees to, in 64 characters that come back with their confirmation. PURE."""

import hashlib
import json


def fingerprint(what: object) -> str:
    """Of anything that JSON can say; in the same order each time, or it is another."""
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()
