"""The platforms of an index, and which one a page shows. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFERRED = "linux/amd64"


@dataclass(frozen=True, slots=True)
class Platform:
    """`key` names it in a URL: by `words`, such as linux/amd64, or by its digest if `words` are not unique."""

    key: str
    words: str
    digest: str
    size: int | None  # bytes; None: its manifest is missing or was not read yet


def parse_platforms(listed: Sequence[Mapping[str, Any]]) -> list[Platform]:
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


def choose_platform(platforms: Sequence[Platform], wanted: str) -> Platform | None:
    """Return the wanted platform, else PREFERRED, else the first; None without platforms."""
    for key in (wanted, PREFERRED):
        found = next((each for each in platforms if key and key in {each.key, each.words, each.digest}), None)
        if found:
            return found
    return platforms[0] if platforms else None
