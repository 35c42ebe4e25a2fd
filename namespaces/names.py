"""The grammar of repository names and tags, after the OCI distribution spec. PURE.

`re.fullmatch` throughout: `$` would let a trailing newline pass.
"""

import re

from accounts.common.lazy_text import lazy as _

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
COMPONENT = re.compile(_COMPONENT)
REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# How tools name the digest that a tag is about. OCI's lists of referrers cut a longer one to 64 digits.
_STEM = r"(?:sha256|sha384|sha512|blake3)-[0-9a-f]{64}"
STEM_DIGITS = 64
# Stored with each tag (models/derived.py): another form needs a migration of the rows there are.
# Whatever follows (.sig, .src, .imgpkg, regclient's .<digits>.<type>); cosign also puts before it what it is told to.
TECHNICAL = re.compile(rf"({_STEM}).*|.*({_STEM})[0-9a-f]*\.(?:sig|att|sbom)")

NAMESPACE_MAX = 60
# Distribution fails with 500 (2.8) or 400 (3.1) on names near 255; clients count the host into those 255.
REPOSITORY_MAX = 200
# Words that mean something else at the front of a path or a reference, or that invite confusion.
RESERVED = frozenset(
    "library v2 v1 _catalog admin api static token auth www root system null docker registry panel "
    "manager health healthz readyz events me login localhost registry-manager".split()
)


def namespace_problem(name: str) -> str | None:
    """Why `name` cannot be a namespace, in words for a person; None when it can."""
    if not name:
        return _("Give the namespace a name.")
    if len(name) > NAMESPACE_MAX:
        return _("Use at most %(most)s characters.", most=NAMESPACE_MAX)
    if "/" in name:
        return _("A namespace is the first part only, without slashes; what follows the slash is the image.")
    if name != name.lower():
        return _("Use lower case: Docker refuses upper-case names.")
    if not COMPONENT.fullmatch(name):
        return _(
            "Use a-z and 0-9, with single . _ or - between them, and begin and end with a letter or digit."
        )
    if name in RESERVED:
        return _("“%(name)s” is reserved; choose another name.", name=name)
    return None


def image_problem(name: str, *, namespace: str) -> str | None:
    """Why `name` (what follows the namespace's slash) cannot be an image; None when it can."""
    if not name:
        return _("Give the image a name.")
    if len(f"{namespace}/{name}") > REPOSITORY_MAX:
        return _("Namespace and image together may have at most %(most)s characters.", most=REPOSITORY_MAX)
    if not REPOSITORY.fullmatch(name):
        return _("Use lower-case a-z and 0-9, with . _ or - between them; a slash begins the next part.")
    return None


def is_repository(name: str) -> bool:
    """Return True for a full repository name (namespace/image) that the panel can ever serve."""
    return len(name) <= REPOSITORY_MAX and "/" in name and REPOSITORY.fullmatch(name) is not None


def is_technical(tag: str) -> bool:
    """Return True for a tag that a tool made of a digest, to hang something onto that: it is no version."""
    return technical_stem(tag) != ""


def technical_stem(tag: str) -> str:
    """As `stem_of` the digest that a technical tag is about; "" for any other tag."""
    match = TECHNICAL.fullmatch(tag)
    return (match[1] or match[2]) if match else ""


def stem_of(digest: str) -> str:
    """How tags about this digest have it in their names."""
    algorithm, _colon, digits = digest.partition(":")
    return f"{algorithm}-{digits[:STEM_DIGITS]}"


def technical_subject(tag: str) -> str:
    """Return the digest that a technical tag is about, or the beginning of a longer one; "" for any other tag."""
    return technical_stem(tag).replace("-", ":", 1)


def split(repository: str) -> tuple[str, str]:
    """("team", "app/api") from "team/app/api"."""
    namespace, _slash, image = repository.partition("/")
    return namespace, image
