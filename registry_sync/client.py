"""The only module that speaks HTTP to the registry.

Built for a registry that may be down, slow, wrong or hostile: fixed base address, no proxy and no credential from
the environment, time-outs, bounded bodies, checked digests, redirects only for blobs and then without the token.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from namespaces import names

CONNECT, READ, TOTAL = 3, 10, 30  # seconds
MANIFEST_MAX = 4 * 1024 * 1024  # what Distribution itself takes
LIST_MAX = 64 * 1024 * 1024  # 2.8 answers all tags of a repository at once
CATALOG_PAGE = 1000  # above the registry's `catalog.maxentries` it answers 400
PAGES_MAX = 10_000
# All four, always: without the OCI types the registry answers 404 for what it has.
MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)

CATALOG = "catalog"


class RegistryError(Exception):
    """The registry did not give a complete, believable answer. Nothing may be concluded from it."""


class Unreachable(RegistryError):
    """No answer at all, or 5xx: it may be better later."""


class Missing(RegistryError):
    """404 with the registry's own error code for a thing that is not there."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest as the registry sent it; `digest` was computed from the body."""

    digest: str
    media_type: str
    body: bytes


class Registry:
    """`token_for` makes the token for one repository, or for CATALOG; shared by threads."""

    def __init__(self, url: str, token_for: Callable[[str], str], *, connections: int = 8) -> None:
        self.url = url
        self.requests = 0
        self._token_for = token_for
        self._count = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "registry-manager", "Accept-Encoding": "identity"})
        self._session.mount("http", HTTPAdapter(pool_connections=1, pool_maxsize=connections))

    def close(self) -> None:
        self._session.close()

    def repositories(self) -> list[str]:
        """The whole catalog. Raises RegistryError when the walk did not end cleanly."""
        found: dict[str, None] = {}
        for page in self._pages(f"/v2/_catalog?n={CATALOG_PAGE}", CATALOG):
            found.update(dict.fromkeys(_strings(page, "repositories")))
        return list(found)

    def tags(self, repository: str) -> list[str]:
        """All tags. `"tags": null` is how the registry says none. Missing when it has no such repository."""
        found: dict[str, None] = {}
        for page in self._pages(f"/v2/{repository}/tags/list", repository):
            found.update(dict.fromkeys(_strings(page, "tags")))
        return [tag for tag in found if names.TAG.fullmatch(tag)]

    def manifest(self, repository: str, reference: str, *, known: str = "") -> Fetched | None:
        """The manifest behind a tag or digest; None when it still has the digest `known`."""
        headers = {"Accept": MANIFEST_TYPES} | ({"If-None-Match": f'"{known}"'} if known else {})
        with self._get(f"/v2/{repository}/manifests/{reference}", repository, headers) as response:
            if response.status_code == requests.codes.not_modified:
                return None
            body = _body(response, MANIFEST_MAX)
            digest = _digest(body)
            if response.headers.get("Docker-Content-Digest", digest) != digest:
                raise RegistryError(f"{repository}:{reference}: the body is not what its digest says")
            if ":" in reference and reference != digest:
                raise RegistryError(f"{repository}@{reference}: another manifest came")
            media_type = response.headers.get("Content-Type", "").split(";")[0].strip()[:120]
            return Fetched(digest, media_type, body)

    def blob(self, repository: str, digest: str, *, most: int) -> bytes:
        """A small blob, checked against its digest. Object storage is reached without our token."""
        with self._get(f"/v2/{repository}/blobs/{digest}", repository, {}) as response:
            if response.is_redirect:
                return _checked(self._stored(response, most), digest)
            return _checked(_body(response, most), digest)

    def _stored(self, redirect: requests.Response, most: int) -> bytes:
        target = urljoin(redirect.url, redirect.headers["Location"])
        if urlsplit(target).scheme not in ("http", "https"):
            raise RegistryError("the registry redirects to something that is not http")
        with self._send(target, {}) as response:
            return _body(_good(response), most)

    def _pages(self, path: str, scope: str) -> Iterator[dict[str, Any]]:
        """Follows Link alone: the registry's order is its own, so no cursor of ours would be right."""
        seen: set[str] = set()
        while path:
            if path in seen or len(seen) >= PAGES_MAX:
                raise RegistryError("the registry's pages go in a circle")
            seen.add(path)
            with self._get(path, scope, {}) as response:
                yield _json(_body(response, LIST_MAX))
                path = _next(response, path)

    def _get(self, path: str, scope: str, headers: dict[str, str]) -> requests.Response:
        token = self._token_for(scope)
        return _good(self._send(self.url + path, {**headers, "Authorization": f"Bearer {token}"}))

    def _send(self, url: str, headers: dict[str, str]) -> requests.Response:
        with self._count:
            self.requests += 1
        try:
            return self._session.get(
                url, headers=headers, timeout=(CONNECT, READ), stream=True, allow_redirects=False
            )
        except (requests.RequestException, OSError) as error:
            raise Unreachable(f"the registry does not answer ({type(error).__name__})") from error


def _good(response: requests.Response) -> requests.Response:
    status = response.status_code
    if status in (200, 304) or response.is_redirect:
        return response
    with response:
        if status >= requests.codes.server_error or status == requests.codes.too_many_requests:
            raise Unreachable(f"the registry answers {status}")
        codes = _error_codes(response)
        if status == requests.codes.not_found and codes & {
            "NAME_UNKNOWN",
            "MANIFEST_UNKNOWN",
            "BLOB_UNKNOWN",
        }:
            raise Missing("not in the registry")
        if status == requests.codes.unauthorized:
            raise RegistryError(
                "the registry refuses our token: see service, issuer and rootcertbundle in its configuration"
            )
        raise RegistryError(f"the registry answers {status}")


def _error_codes(response: requests.Response) -> set[str]:
    try:
        errors = _json(_body(response, MANIFEST_MAX)).get("errors", [])
        return {str(each.get("code")) for each in errors}
    except (RegistryError, AttributeError, TypeError):
        return set()


def _body(response: requests.Response, most: int) -> bytes:
    """At most `most` bytes within TOTAL seconds: a body that drips for ever is no answer."""
    deadline, parts, length = time.monotonic() + TOTAL, [], 0
    try:
        for part in response.iter_content(64 * 1024):
            parts.append(part)
            length += len(part)
            if length > most:
                raise RegistryError(f"the answer is longer than {most} bytes")
            if time.monotonic() > deadline:
                raise Unreachable("the answer takes too long")
    except (requests.RequestException, OSError) as error:
        raise Unreachable(f"the answer broke off ({type(error).__name__})") from error
    return b"".join(parts)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryError("the registry's answer is not JSON") from error
    if not isinstance(value, dict):
        raise RegistryError("the registry's answer is not an object")
    return value


def _strings(page: dict[str, Any], key: str) -> list[str]:
    if key not in page:
        raise RegistryError(f"the registry's answer has no {key}")
    values = page[key] or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RegistryError(f"the registry's {key} are not a list of names")
    return values


def _next(response: requests.Response, path: str) -> str:
    """The next page's path, "" after the last. A link to elsewhere would carry our token there."""
    if "Link" not in response.headers:
        return ""
    target = response.links.get("next", {}).get("url", "")
    joined, here = urlsplit(urljoin(path, target)), urlsplit(path)
    if not target or joined.path != here.path or not parse_qs(joined.query).get("last"):
        raise RegistryError("the registry's link to the next page cannot be followed")
    return f"{joined.path}?{joined.query}"


def _checked(body: bytes, digest: str) -> bytes:
    if _digest(body) != digest:
        raise RegistryError(f"blob {digest}: the body is not what its digest says")
    return body


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
