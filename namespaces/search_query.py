"""Parses what somebody types into a filter or the search: part of a name, a digest, a reference. PURE."""

import re
from dataclasses import dataclass

SUBSTRING_MIN = 3  # a shorter piece stands in nearly every name: it is taken as how the name begins
LABEL_START_MAX = 100  # characters of a label's value that it is found by
DIGEST_MIN = 6  # hexadecimal digits that are taken as a digest without `sha256:` before them

_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]*)")
_LAST = "\U0010ffff"
_TOOLS = frozenset("buildah crane ctr docker helm kubectl nerdctl oras podman regctl skopeo sudo".split())
_SCHEME = re.compile(r"(?:https?|docker|oci)://", re.IGNORECASE | re.ASCII)
_API = re.compile(r"v2/(.+)/(?:manifests|blobs|tags)/([^/]+)")  # of the registry's own addresses
_ALONE = re.compile(
    r"[a-z0-9][a-z0-9._-]*(?::[a-z0-9_][a-z0-9._-]*)?(?:@(?:sha256|sha512):[0-9a-f]*)?",
    re.IGNORECASE | re.ASCII,
)
_HEXES = re.compile(rf"[0-9a-f]{{{DIGEST_MIN},64}}")


@dataclass(frozen=True, slots=True)
class PrefixRange:
    """first <= text < end: a prefix, as an index finds it in any collation."""

    first: str
    end: str


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """Both may be set: `deadbeef` can begin a digest or be part of a name. Neither: nothing was typed."""

    text: str = ""
    digest: PrefixRange | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.digest)


@dataclass(frozen=True, slots=True)
class PastedReference:
    """A reference taken apart; what it does not say is "". Without a slash `repository` is an image's last part.

    `whole`: what it is else, where its first part may be a namespace as well as a host.
    """

    repository: str
    tag: str = ""
    digest: str = ""
    whole: str = ""


def parse_query(typed: str) -> ParsedQuery:
    text = clean(typed)
    lower = text.lower()
    if found := _DIGEST.fullmatch(lower):
        return ParsedQuery(digest=_hex_range(f"{found[1]}:", found[2]))
    if _HEXES.fullmatch(lower):
        return ParsedQuery(text, _hex_range("sha256:", lower))
    return ParsedQuery(text)


def parse_pasted_reference(typed: str, *, host: str) -> PastedReference | None:
    """Read a reference as people paste it.

    Such as `host/team/api:1.0`, `team/api@sha256:…`, `api:1.0`, `http://host/team/api`, a whole
    `docker pull …`, or the registry's own address of a manifest; None for a mere word. Host and names may be in
    capitals; a tag stays as it is.
    """
    text = clean(typed)
    words, host = [each.strip("\"'") for each in text.split()], host.lower()
    # Ours is known by its host wherever it stands: in a Dockerfile, in YAML, before what is run in it.
    ours = (word for word in words if _SCHEME.sub("", word, count=1).lower().startswith(f"{host}/"))
    text = next(ours, words[-1] if len(words) > 1 and words[0].lower() in _TOOLS else text)
    bare = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    path, whole, hosted = _without_host(bare, host, addressed=bare != text)
    if " " in path or not path.strip("/"):
        return None
    if found := _API.fullmatch(path):
        path = f"{found[1]}{'@' if ':' in found[2] else ':'}{found[2]}"
    rest, _at, digest = path.partition("@")
    repository, _colon, tag = rest.partition(":")
    if "/" not in repository.strip("/") and not hosted and not _names_an_image(path):
        return None
    return PastedReference(
        repository.lower().strip("/"), tag, digest, whole.partition("@")[0].partition(":")[0].lower()
    )


def _without_host(text: str, host: str, *, addressed: bool) -> tuple[str, str, bool]:
    """Return the path; the whole, where what was taken off may be no host; and whether something was taken off."""
    first, slash, path = text.partition("/")
    first = first.lower()
    if not slash:
        return text, "", False
    if first == host or addressed or ":" in first or first == "localhost":
        return path, "", True
    if "." in first and "/" in path:
        return path, text, True
    return text, "", False


def _names_an_image(text: str) -> bool:
    """Return True for `api:1.0` and `nginx@sha256:…`, not for a word or a digest."""
    found = _ALONE.fullmatch(text)
    return (
        bool(found) and (":" in text or "@" in text) and not text.lower().startswith(("sha256:", "sha512:"))
    )


def label_start(value: str) -> str:
    """Return the beginning of a label's value that is looked for, without https://, which nobody types.

    Casefolded: `lower` writes a Σ by what follows it, and a beginning would not begin its own whole.
    """
    bare = value.removeprefix("https://").removeprefix("http://")
    return bare[:LABEL_START_MAX].casefold()[:LABEL_START_MAX]


def parse_label(typed: str) -> tuple[str, PrefixRange]:
    """`key=value` → the key and how the value begins; a plain word → "" and how the value of any key begins."""
    key, equals, value = clean(typed).partition("=")
    if not equals or not value or " " in key:
        key, value = "", clean(typed)
    start = label_start(value)
    return key, PrefixRange(start, start + _LAST)


def clean(typed: str) -> str:
    """Without the NUL and the half characters that no database takes."""
    return typed.replace("\x00", "").encode("utf-8", "ignore").decode().strip()


def _hex_range(algorithm: str, hexes: str) -> PrefixRange:
    kept = hexes.rstrip("f")  # beyond …3ff comes …4
    if not kept:
        return PrefixRange(algorithm + hexes, algorithm + "g")
    beyond = "0123456789abcdefg"["0123456789abcdef".index(kept[-1]) + 1]
    return PrefixRange(algorithm + hexes, algorithm + kept[:-1] + beyond)
