"""The platforms of an index, and the one that is looked at. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFERRED = "linux/amd64"


@dataclass(frozen=True, slots=True)
class Platform:
    """`key` is how an address names it: by its words, or by its digest where two have the same words."""

    key: str
    words: str
    digest: str
    size: int | None  # None: its manifest is not here, or was not read yet


def platforms_of(listed: Sequence[Mapping[str, Any]]) -> list[Platform]:
    """Return the platforms; `listed` as in `Manifest.platforms`."""
    words = [each["platform"] for each in listed]
    return [
        Platform(
            key=each["platform"]
            if words.count(each["platform"]) == 1 and each["platform"]
            else each["digest"],
            words=each["platform"],
            digest=each["digest"],
            size=each["size"] or None,
        )
        for each in listed
    ]


def choose(platforms: Sequence[Platform], wanted: str) -> Platform | None:
    """Return the wanted one, else what most people run, else the first. None of none."""
    for key in (wanted, PREFERRED):
        found = next((each for each in platforms if key and key in {each.key, each.words, each.digest}), None)
        if found:
            return found
    return platforms[0] if platforms else None
