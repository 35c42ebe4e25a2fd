"""Reads what `registry garbage-collect` prints, of Distribution 2.8 and 3.x. PURE."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_BLOB = re.compile(r"blob eligible for deletion: ([a-z0-9]+:[0-9a-f]+)")
# 2.8 names the digest alone; 3.x {repository digest [tags that the repository has]}.
_MANIFEST = re.compile(r"manifest eligible for deletion: (?:\{(\S+) )?([a-z0-9]+:[0-9a-f]+)")
_TOTALS = re.compile(r"[0-9]+ blobs marked, ([0-9]+) blobs and ([0-9]+) manifests eligible for deletion")


class Unreadable(Exception):
    """The output did not end as it should, so nothing may be promised by it."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """What goes: digests of blobs; with --delete-untagged also (repository, digest) of manifests without a tag.

    2.8 does not say of which repository: there it is "".
    """

    blobs: set[str] = field(default_factory=set)
    manifests: set[tuple[str, str]] = field(default_factory=set)


def parse(lines: Iterable[str]) -> Eligible:
    """Raise Unreadable when the registry names more or less than it counts, or counts nothing."""
    found, counted = Eligible(), None
    for line in lines:
        if match := _BLOB.match(line):
            found.blobs.add(match[1])
        elif match := _MANIFEST.match(line):
            found.manifests.add((match[1] or "", match[2]))
        elif match := _TOTALS.match(line):
            counted = int(match[1])
    if counted is None:
        raise Unreadable("it printed no totals")
    if counted != len(found.blobs):
        raise Unreadable(f"it counted {counted} blobs and named {len(found.blobs)}")
    return found


def major_version(text: str) -> int:
    """Return 2 or 3 of what `registry --version` prints; 0 where it says no number."""
    match = re.search(r" v?([0-9]+)\.[0-9]+", text)
    return int(match[1]) if match else 0
