"""Finds passwords of users and API tokens in any text: a log, a diff, a docker config, a Kubernetes secret. PURE.

Their form and checksum are described for scanners in docs/credentials.md.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from accounts import credentials

TEXT_MAX: Final = 200_000  # characters
FOUND_MAX: Final = 50
_LENGTH: Final = credentials.BODY_LENGTH + credentials.CHECK_LENGTH
# From eight characters on, so that one that was cut is told of.
_CANDIDATE: Final = re.compile(
    rf"(?<![0-9A-Za-z])({credentials.USER_PREFIX}|{credentials.API_PREFIX})_([0-9A-Za-z]{{8,}})"
)
# A username and password as docker stores them; a Kubernetes secret has them in base64 twice.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}")
_DEPTH: Final = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` is what stands there; `sound`: form and checksum hold, so it may be one of ours."""

    text: str
    sound: bool

    @property
    def is_api_token(self) -> bool:
        return self.text.startswith(f"{credentials.API_PREFIX}_")

    @property
    def shown(self) -> str:
        """As "rmp_…Xy9z": enough to tell it from another."""
        return f"{self.text[:4]}…{credentials.hint(self.text)}"


def find_candidates(text: str) -> list[Candidate]:
    """Return at most FOUND_MAX, each once, those that are sound first. Characters after TEXT_MAX are not read."""
    found = dict.fromkeys(_candidates(text[:TEXT_MAX], _DEPTH))
    return sorted(found, key=lambda each: not each.sound)[:FOUND_MAX]


def _candidates(text: str, depth: int) -> Iterator[Candidate]:
    for match in _CANDIDATE.finditer(text):
        prefix, rest = match.groups()
        # What follows without a gap may belong to the text around it.
        whole = f"{prefix}_{rest[:_LENGTH]}"
        sound = credentials.well_formed(whole, prefix)
        yield Candidate(whole if sound else f"{prefix}_{rest}"[:100], sound)
    if depth:
        for match in _BASE64.finditer(text):
            yield from _candidates(_decoded(match[0]), depth - 1)


def _decoded(text: str) -> str:
    letters = text.rstrip("=")
    if len(letters) % 4 == 1:  # the last belongs to what follows
        letters = letters[:-1]
    return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode("utf-8", "replace")
