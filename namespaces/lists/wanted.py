"""What somebody means who types into a filter or a search: a part of a name, a digest, a whole reference. PURE."""

import re
from dataclasses import dataclass

SUBSTRING_MIN = 3  # a shorter piece stands in nearly every name: it is taken as how the name begins
LABEL_START_MAX = 100  # characters of a label's value that it is found by
DIGEST_MIN = 6  # hexadecimal digits that are taken as a digest without `sha256:` before them

_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]*)")
_LAST = "\U0010ffff"
_HEXES = re.compile(rf"[0-9a-f]{{{DIGEST_MIN},64}}")


@dataclass(frozen=True, slots=True)
class Between:
    """Texts from `first` on and before `end`: a prefix, as an index can look it up in any collation."""

    first: str
    end: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Both may be there: `deadbeef` begins a digest, and names have it too. Neither: nothing was typed."""

    text: str = ""
    digest: Between | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.digest)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference taken apart; what it does not say is ""."""

    repository: str
    tag: str = ""
    digest: str = ""


def wanted(typed: str) -> Wanted:
    text = clean(typed)
    lower = text.lower()
    if found := _DIGEST.fullmatch(lower):
        return Wanted(digest=_between(f"{found[1]}:", found[2]))
    if _HEXES.fullmatch(lower):
        return Wanted(text, _between("sha256:", lower))
    return Wanted(text)


def reference(typed: str, *, host: str) -> Reference | None:
    """`host/team/api:1.0`, `team/api@sha256:…` or `team/api`, as people paste them; None for a mere word."""
    text = clean(typed).removeprefix("docker pull ").strip().removeprefix(f"{host}/")
    rest, _at, digest = text.partition("@")
    repository, _colon, tag = rest.partition(":")
    if "/" not in repository or " " in text:
        return None
    return Reference(repository.lower().strip("/"), tag, digest)


def label_start(value: str) -> str:
    """Without https://, which nobody types. Casefolded: `lower` writes a Σ by what follows it, and a beginning
    would not begin its own whole."""
    bare = value.removeprefix("https://").removeprefix("http://")
    return bare[:LABEL_START_MAX].casefold()[:LABEL_START_MAX]


def label(typed: str) -> tuple[str, Between]:
    """`key=value` → the key and how the value begins; a plain word → "" and how the value of any key begins."""
    key, equals, value = clean(typed).partition("=")
    if not equals or not value or " " in key:
        key, value = "", clean(typed)
    start = label_start(value)
    return key, Between(start, start + _LAST)


def clean(typed: str) -> str:
    """Without the NUL and the half characters that no database takes."""
    return typed.replace("\x00", "").encode("utf-8", "ignore").decode().strip()


def _between(algorithm: str, hexes: str) -> Between:
    kept = hexes.rstrip("f")  # beyond …3ff comes …4
    if not kept:
        return Between(algorithm + hexes, algorithm + "g")
    beyond = "0123456789abcdefg"["0123456789abcdef".index(kept[-1]) + 1]
    return Between(algorithm + hexes, algorithm + kept[:-1] + beyond)
