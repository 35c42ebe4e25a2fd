"""What an answer of the registry proves, and what it does not. PURE: shared by both ways of asking."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from namespaces import names
from registry_sync.client.pacing import USER_AGENT

MANIFEST_MAX = 4 * 1024 * 1024  # what Distribution itself takes
LIST_MAX = 64 * 1024 * 1024  # 2.8 answers all tags of a repository at once
CATALOG_PAGE = 1000  # above the registry's `catalog.maxentries` it answers 400
PAGES_MAX = 10_000
NAME_MAX = 255
# All four, always: without the OCI types the registry answers 404 for what it has.
MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
SIGNED_SCHEMA_1 = (
    "application/vnd.docker.distribution.manifest.v1+prettyjws"  # Docker's first form; 2.8 may still hold it
)
HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
CATALOG = "catalog"  # the scope's name where a repository's stands otherwise
# Nobody's images can spoil the answer, and the registry must look into its storage for it. While it comes, silence or a
# 5xx for one thing is a fact about that thing.
PROBE_PATH = "/v2/_catalog?n=1"

OK, NOT_MODIFIED, UNAUTHORIZED, NOT_FOUND = 200, 304, 401, 404
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
_SCHEMA_1_ERROR = b"unrecognized manifest schema version 1"
_NOT_FOUND_CODES = {"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"}


class RegistryError(Exception):
    """The registry did not give a complete, believable answer. Nothing may be concluded from it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text  # a LazyText, for rows; `str()` of an error is English


class TemporaryFailure(RegistryError):
    """No answer at all, 429 or 5xx: it may be better later."""


class ServerError(TemporaryFailure):
    """5xx. Where the registry answers others, it is a fact about what was asked for, and will be the same again."""


class NoResponse(TemporaryFailure):
    """No answer at all: whatever is asked next would wait as long for one."""


class Schema1Unsupported(RegistryError):
    """It is there, of a form that Distribution 3 knows no more; so it will stay."""


class Unauthorized(RegistryError):
    """401: a clock or the configuration is wrong, and it says nothing about what was asked for."""


class NotInRegistry(RegistryError):
    """404 with the registry's own error code for a thing that is not there."""


class Rejected(RegistryError):
    """A clear no, and nothing was changed. `codes` are the registry's own words for why, if it gave any."""

    def __init__(self, status: int, codes: frozenset[str]) -> None:
        super().__init__(answers(status, *sorted(codes)))
        self.status = status
        self.codes = codes


@dataclass(frozen=True, slots=True)
class FetchedManifest:
    """A manifest as the registry sent it; `digest` was computed from the body."""

    digest: str
    media_type: str
    body: bytes


def require_identity_encoding(headers: Mapping[str, str]) -> None:
    """Compressed is not what was asked for, and a small answer may unfold to a large one."""
    if headers.get("Content-Encoding", "identity") != "identity":
        raise RegistryError(_("the registry’s answer is compressed"))


def error_of(status: int, body: bytes) -> RegistryError:
    """Return the error that a status other than 200 and 304 means; `body` tells what a 404 is about."""
    if status == TOO_MANY_REQUESTS:
        return TemporaryFailure(answers(status))
    if status >= SERVER_ERROR and _SCHEMA_1_ERROR in body:
        return Schema1Unsupported(_("this registry cannot read it: it is of Docker’s first form (schema 1)"))
    if status >= SERVER_ERROR:
        return ServerError(answers(status))
    # A 404 from a proxy, or for an Accept header that does not fit, is no absence.
    if status == NOT_FOUND and error_codes(body) & _NOT_FOUND_CODES:
        return NotInRegistry(_("not in the registry"))
    if status == UNAUTHORIZED:
        return Unauthorized(
            _("the registry refuses our token: see service, issuer and rootcertbundle in its configuration")
        )
    return Rejected(status, frozenset(code[:40] for code in error_codes(body)))


def no_answer(error: Exception) -> LazyText:
    return _("the registry does not answer (%(error)s)", error=type(error).__name__)


def too_long(most: int) -> LazyText:
    return _("the answer is longer than %(most)s bytes", most=most)


def answers(*status_and_codes: object) -> LazyText:
    return _("the registry answers %(status)s", status=" ".join(map(str, status_and_codes)))


def error_codes(body: bytes) -> set[str]:
    try:
        return {str(entry.get("code")) for entry in json_object(body).get("errors", [])}
    except (RegistryError, AttributeError, TypeError):
        return set()


def json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryError(_("the registry’s answer is not JSON")) from error
    if not isinstance(value, dict):
        raise RegistryError(_("the registry’s answer is not an object"))
    return value


@dataclass(slots=True)
class Catalog:
    """The list of repositories.

    `strange`: how many names in it are none that a repository can have. Then something is wrong with the registry's
    storage or its answer, and what the list lacks proves nothing.
    """

    names: list[str] = field(default_factory=list)
    strange: int = 0

    def add(self, body: bytes) -> None:
        listed = _string_list(json_object(body), "repositories")
        good = [name for name in listed if is_repository_name(name)]
        self.names += good
        self.strange += len(listed) - len(good)


def is_repository_name(repository: str) -> bool:
    return len(repository) <= NAME_MAX and names.REPOSITORY.fullmatch(repository) is not None


def tags(body: bytes) -> list[str]:
    """`"tags": null` is how the registry says none."""
    listed = _string_list(json_object(body), "tags")
    if not all(names.TAG.fullmatch(tag) for tag in listed):
        raise RegistryError(_("the registry lists a name that no tag can have"))
    return listed


def api_path(repository: str, what: str, reference: str = "") -> str:
    """/v2/team/app/manifests/1.0. The only way from a name to an address: no other name gets into one."""
    good = not reference or names.TAG.fullmatch(reference) or names.DIGEST.fullmatch(reference)
    if not is_repository_name(repository) or not good:
        raise RegistryError(_("not a name that a registry can hold"))
    return f"/v2/{repository}/{what}/{reference}" if reference else f"/v2/{repository}/{what}"


def checked_manifest(
    repository: str, reference: str, headers: Mapping[str, str], body: bytes
) -> FetchedManifest:
    media_type = headers.get("Content-Type", "").split(";")[0].strip()[:120]
    digest = digest_of(_signed_payload(body) if media_type == SIGNED_SCHEMA_1 else body)
    if headers.get("Docker-Content-Digest", digest) != digest:
        raise RegistryError(
            _("%(name)s: the body is not what its digest says", name=f"{repository}:{reference}")
        )
    if ":" in reference and reference != digest:
        raise RegistryError(_("%(name)s: another manifest came", name=f"{repository}@{reference}"))
    return FetchedManifest(digest, media_type, body)


def _signed_payload(body: bytes) -> bytes:
    """Return the part of a signed manifest that its digest is of: all but the signatures, as they themselves tell."""
    try:
        protected = json_object(body)["signatures"][0]["protected"]
        header = json.loads(base64.urlsafe_b64decode(protected + "=="))
        return body[: header["formatLength"]] + base64.urlsafe_b64decode(header["formatTail"] + "==")
    except (RegistryError, LookupError, TypeError, ValueError, RecursionError):
        return body


def checked_blob(digest: str, body: bytes) -> bytes:
    if digest_of(body) != digest:
        raise RegistryError(_("%(name)s: the body is not what its digest says", name=digest))
    return body


def next_page(link: str, url: str, path: str) -> str:
    """Return the next page's path. A link to elsewhere would carry our token there.

    `link` is the target of the answer's Link header, `path` the page that it came with. The registry's order is its
    own, so no cursor of ours would be right; but in some order it goes forward.
    """
    joined, here = urlsplit(urljoin(url + path, link)), urlsplit(url + path)
    last = parse_qs(joined.query).get("last", [])
    if joined[:3] != here[:3] or len(last) != 1:
        raise RegistryError(_("the registry’s link to the next page cannot be followed"))
    before = parse_qs(here.query).get("last", [""])[0]
    if not any(order(before) < order(last[0]) for order in _SORT_KEYS):
        raise RegistryError(_("the registry’s pages run backwards, or in a circle"))
    return f"{joined.path}?{joined.query}"


# As text; as folders within folders, which is Distribution's; and as object storage sorts them.
_SORT_KEYS: tuple[Callable[[str], str], ...] = (
    str,
    lambda name: name.replace("/", "\0"),
    lambda name: f"{name}/",
)


def manifest_headers(known: str = "") -> dict[str, str]:
    return {"Accept": MANIFEST_TYPES} | ({"If-None-Match": f'"{known}"'} if known else {})


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


class PageGuard:
    """Guards a walk over pages against having no end."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def visit(self, path: str) -> str:
        if path in self._seen or len(self._seen) >= PAGES_MAX:
            raise RegistryError(_("the registry’s pages have no end"))
        self._seen.add(path)
        return path


def _string_list(page: dict[str, Any], key: str) -> list[str]:
    if key not in page:
        raise RegistryError(_("the registry’s answer has no %(key)s", key=key))
    values = page[key] or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RegistryError(_("the registry’s %(key)s are not a list of names", key=key))
    return values
