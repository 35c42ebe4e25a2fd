"""How tags are ordered by name: 1.9 before 1.10, and case does not matter. PURE."""

import re

KEY_MAX = 400  # 128 characters of digits and letters in turn grow by three for each number

_NUMBER = re.compile(r"\d+")


def sort_key(name: str) -> str:
    """Text whose plain order is the natural order of names: each number is led by its count of digits."""
    return _NUMBER.sub(_counted, name.lower())


def _counted(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0") or "0"
    return f"{len(digits):03}{digits}"
