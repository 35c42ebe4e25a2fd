"""What of the asking for manifests is a pull, and what is only a look. PURE.

A pull of a tag is a GET by the tag, or a HEAD by the tag and within a minute a GET of the digest it led to, by the same
user from the same address. What is fetched further of the same image belongs to that pull. A HEAD alone is a check.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

PULL_WINDOW = timedelta(seconds=60)
Requester = tuple[str, str, str]  # repository, user, address


class Kind(Enum):
    PULL = auto()
    CHECK = auto()
    PART = auto()  # of a pull that is counted already
    WAITS = auto()  # a HEAD whose GET may follow


@dataclass(frozen=True, slots=True)
class ManifestRequest:
    """`tag` is "" where the digest was asked for. `waited`: a HEAD that had its minute; `open`: that has it still."""

    key: int
    at: datetime
    who: Requester
    head: bool
    tag: str
    digest: str
    waited: bool = False
    open: bool = False


@dataclass(slots=True)
class Classification:
    """Key → what it is; of a pull, the tag that was pulled. `followed`: HEADs known before whose GET came."""

    kind: dict[int, Kind] = field(default_factory=dict)
    tag: dict[int, str] = field(default_factory=dict)
    followed: set[int] = field(default_factory=set)


def classify(
    new: Collection[ManifestRequest],
    known: Collection[ManifestRequest],
    listed_in: Mapping[str, Collection[str]],
) -> Classification:
    """`known`: what the same users asked for shortly before. `listed_in`: digest → indexes that list it."""
    result = Classification()
    near: dict[Requester, list[ManifestRequest]] = defaultdict(list)
    for request in sorted([*known, *new], key=lambda asked: (asked.at, asked.key)):
        near[request.who].append(request)
    waiting = {request.key for request in known if request.head and request.open} | {
        request.key for request in new if request.head
    }
    for request in sorted(new, key=lambda asked: (asked.at, asked.key)):
        if request.head:
            continue
        before = [earlier for earlier in near[request.who] if _within_window(earlier, request)]
        heads = [earlier for earlier in before if earlier.key in waiting]
        result.kind[request.key], result.tag[request.key] = _classify_get(request, before, heads, listed_in)
        for earlier in heads:
            if earlier.digest == request.digest and earlier.tag in ("", result.tag[request.key]):
                waiting.discard(earlier.key)
                result.kind[earlier.key] = Kind.PART
                result.followed.add(earlier.key)
    for request in new:
        if request.head and request.key in waiting:
            result.kind[request.key] = Kind.CHECK if request.waited else Kind.WAITS
    return result


def _classify_get(
    get: ManifestRequest,
    before: list[ManifestRequest],
    heads: list[ManifestRequest],
    listed_in: Mapping[str, Collection[str]],
) -> tuple[Kind, str]:
    if get.tag:
        return Kind.PULL, get.tag
    led = [one.tag for one in heads if one.tag and one.digest == get.digest]
    if led:
        return Kind.PULL, led[-1]
    above = listed_in.get(get.digest, ())
    if any(one.tag if one.digest == get.digest else not one.head and one.digest in above for one in before):
        return Kind.PART, ""
    return Kind.PULL, ""


def _within_window(first: ManifestRequest, then: ManifestRequest) -> bool:
    return (first.at, first.key) < (then.at, then.key) and then.at - first.at <= PULL_WINDOW
