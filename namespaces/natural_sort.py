"""How tags are ordered by name: 1.9 before 1.10, and case does not matter; which says most. PURE."""

import re

KEY_MAX = 400  # 128 characters of digits and letters in turn grow by three for each number

_NUMBER = re.compile(r"\d+")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)", re.IGNORECASE)


def sort_key(name: str) -> str:
    """Text whose plain order is the natural order of names: each number is led by its count of digits."""
    return _NUMBER.sub(_counted, name.lower())


def precision(name: str) -> tuple[int, bool, int, str]:
    """Return more the more a tag says of a version: 1.2.0-alpine before 1.2.0, 1.2, 1, main and latest."""
    found = _VERSION.match(name)
    return (found[1].count(".") + 1 if found else 0, name != "latest", len(name), sort_key(name))


def _counted(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0") or "0"
    return f"{len(digits):03}{digits}"
