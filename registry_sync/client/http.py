"""Asks the registry one thing at a time, from any thread."""

import random
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from accounts.common.lazy_text import lazy as _
from registry_sync.client import pacing, responses
from registry_sync.client.crawler import TagCrawler
from registry_sync.client.pacing import ReadPacer
from registry_sync.client.responses import (
    CATALOG,
    FetchedManifest,
    NoResponse,
    RegistryError,
    TemporaryFailure,
)
from registry_sync.client.timing import USUAL, Timing

UPSTREAM_SAMPLE = 10  # repositories


class RegistryClient:
    """`token_for` makes the token for one repository, or for CATALOG, with the actions named."""

    def __init__(
        self,
        url: str,
        token_for: Callable[..., str],
        *,
        connections: int = 8,
        agent: str = "",
        pace: ReadPacer | None = None,
        timing: Timing = USUAL,
    ) -> None:
        self.url = url
        self.timing = timing
        self.token_for = token_for
        self.requests = 0
        self.pace = pace or ReadPacer()
        self._count = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        self.agent = agent or responses.HEADERS["User-Agent"]
        self._session.headers.update(responses.HEADERS | {"User-Agent": self.agent})
        self._session.mount("http", HTTPAdapter(pool_connections=1, pool_maxsize=connections))

    def close(self) -> None:
        self._session.close()

    def crawler(self, *, paced: bool = True) -> TagCrawler:
        """Return what asks the same registry for many tags at once; where not `paced`, however far its events are."""
        return TagCrawler(self.url, self.token_for, pace=self.pace if paced else None, timing=self.timing)

    def repositories(
        self, *, alive: Callable[[], None] = lambda: None, page_size: int = responses.CATALOG_PAGE
    ) -> responses.Catalog:
        """Return the whole catalog; call `alive` after each page. Raise RegistryError when it did not end cleanly."""
        catalog = responses.Catalog()
        for page in self._pages(f"/v2/_catalog?n={page_size}", CATALOG):
            catalog.add(page)
            alive()
        return catalog

    def answers(self) -> bool:
        """Whether it answers others than whoever just got no answer."""
        try:
            with self._get(responses.PROBE_PATH, CATALOG, {}) as response:
                self._body(response, responses.LIST_MAX)
        except RegistryError:
            return False
        return True

    def upstream_answers(self, repositories: Collection[str]) -> bool:
        """Return whether the upstream of a pull-through cache answers.

        What the cache keeps it shows as if nothing were wrong; but that there is no such layer, only its upstream can
        say. Of some repositories, because the upstream may refuse others: that is a 500 too.
        """
        sample = random.sample(sorted(repositories), min(len(repositories), UPSTREAM_SAMPLE))
        for repository in sample:
            try:
                self.blob(repository, f"sha256:{secrets.token_hex(32)}", most=0)
            except NoResponse:
                break  # the next would wait as long
            except TemporaryFailure:
                continue
            except RegistryError:
                return True
        return False

    def tags(self, repository: str) -> list[str]:
        """Return all tags. Raise NotInRegistry.

        Asked without `n`: Distribution on S3 loses names between pages, 3.1.2 too.
        """
        path = responses.api_path(repository, "tags/list")
        pages = self._pages(path, repository)
        return list(dict.fromkeys(tag for page in pages for tag in responses.tags(page)))

    def manifest(self, repository: str, reference: str, *, known: str = "") -> FetchedManifest | None:
        """Return the manifest behind a tag or digest; None when it still has the digest `known`."""
        path = responses.api_path(repository, "manifests", reference)
        headers, stamp = responses.manifest_headers(known), pacing.stamp()
        if self.agent == pacing.USER_AGENT:
            headers["User-Agent"] = stamp.agent
        with self._get(path, repository, headers) as response:
            if response.status_code == responses.NOT_MODIFIED:
                return None
            self.pace.note_read(stamp.at)
            return responses.checked_manifest(
                repository, reference, response.headers, self._body(response, responses.MANIFEST_MAX)
            )

    def blob(self, repository: str, digest: str, *, most: int) -> bytes:
        """Return a small blob, checked against its digest. Object storage is reached without our token."""
        with self._get(responses.api_path(repository, "blobs", digest), repository, {}) as response:
            if response.is_redirect:
                return responses.checked_blob(digest, self._stored(response, most))
            return responses.checked_blob(digest, self._body(response, most))

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether it is a layer or a config there; no manifest is, by its digest alone."""
        headers = _bearer(self.token_for(repository))
        with self._send(
            "HEAD", self.url + responses.api_path(repository, "blobs", digest), headers
        ) as response:
            return response.status_code == responses.OK or response.is_redirect

    def holds(self, repository: str, kind: str, digest: str) -> bool:
        """Whether it serves a thing by its digest; `kind`: manifests, or blobs. Raise RegistryError for no answer.

        Of a manifest it sends an event, as of each that is read.
        """
        path, stamp = responses.api_path(repository, kind, digest), pacing.stamp()
        headers = (
            _bearer(self.token_for(repository)) | responses.manifest_headers() | {"User-Agent": stamp.agent}
        )
        with self._send("HEAD", self.url + path, headers) as response:
            if response.status_code == responses.NOT_FOUND:
                return False
            self._checked(response)
            if kind == "manifests":
                self.pace.note_read(stamp.at)
            return True

    def delete(
        self, repository: str, reference: str, *, before_sending: Callable[[], None] = lambda: None
    ) -> None:
        """Delete a manifest by its digest, or (3.x alone) a tag. Raise NotInRegistry when it is gone already.

        `before_sending` raises when it must not be done any more. It is called last, and after the token was made: so
        the request of a process that is stopped in between comes with a token that has expired.
        """
        token = self.token_for(repository, "delete")
        path = responses.api_path(repository, "manifests", reference)
        before_sending()
        with self._send("DELETE", self.url + path, _bearer(token)) as response:
            if response.status_code != requests.codes.accepted:
                raise self._error_of(response)

    def put_manifest(
        self,
        repository: str,
        reference: str,
        media_type: str,
        body: bytes,
        *,
        before_sending: Callable[[], None] = lambda: None,
    ) -> None:
        """`before_sending` as in `delete`."""
        token = self.token_for(repository, "pull", "push")
        headers = {**_bearer(token), "Content-Type": media_type}
        path = responses.api_path(repository, "manifests", reference)
        before_sending()
        with self._send("PUT", self.url + path, headers, body) as response:
            if response.status_code != requests.codes.created:
                raise self._error_of(response)

    def put_blob(self, repository: str, digest: str, body: bytes) -> None:
        """Push a small blob, in one piece."""
        headers = _bearer(self.token_for(repository, "pull", "push"))
        with self._send(
            "POST", f"{self.url}{responses.api_path(repository, 'blobs/uploads')}/", headers
        ) as upload:
            if upload.status_code != requests.codes.accepted:
                raise self._error_of(upload)
            target = urlsplit(urljoin(self.url, upload.headers.get("Location", "")))
        # The path alone: a Location to elsewhere would carry our token there.
        query = f"{target.query}&digest={digest}" if target.query else f"digest={digest}"
        headers["Content-Type"] = "application/octet-stream"
        with self._send("PUT", f"{self.url}{target.path}?{query}", headers, body) as response:
            if response.status_code != requests.codes.created:
                raise self._error_of(response)

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        seconds: float = 0,
    ) -> requests.Response:
        """Return the bare answer, if it begins in so many `seconds`. The caller closes it. Raise NoResponse only."""
        return self._send(method, self.url + path, headers or {}, seconds=seconds)

    def _stored(self, redirect: requests.Response, most: int) -> bytes:
        target = urljoin(redirect.url, redirect.headers["Location"])
        if urlsplit(target).scheme not in ("http", "https"):
            raise RegistryError(_("the registry redirects to something that is not http"))
        with self._send("GET", target, {}) as response:
            return self._body(self._checked(response), most)

    def _pages(self, path: str, scope: str) -> Iterator[bytes]:
        pages = responses.PageGuard()
        while path:
            with self._get(pages.visit(path), scope, {}) as response:
                yield self._body(response, responses.LIST_MAX)
                path = _next_path(response, self.url, path)

    def _get(self, path: str, scope: str, headers: dict[str, str]) -> requests.Response:
        return self._checked(self._send("GET", self.url + path, headers | _bearer(self.token_for(scope))))

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        seconds: float = 0,
    ) -> requests.Response:
        with self._count:
            self.requests += 1
        timeout = (self.timing.connect, seconds or self.timing.read)
        try:
            return self._session.request(
                method, url, headers=headers, data=body, timeout=timeout, stream=True, allow_redirects=False
            )
        except (requests.RequestException, OSError) as error:
            raise NoResponse(responses.no_answer(error)) from error

    def _checked(self, response: requests.Response) -> requests.Response:
        if response.status_code in (responses.OK, responses.NOT_MODIFIED) or response.is_redirect:
            return response
        with response:
            raise self._error_of(response)

    def _error_of(self, response: requests.Response) -> RegistryError:
        try:
            body = self._body(response, responses.MANIFEST_MAX)
        except RegistryError:
            body = b""
        return responses.error_of(response.status_code, body)

    def _body(self, response: requests.Response, most: int) -> bytes:
        """At most `most` bytes, within `timing.total` seconds: a body that drips for ever is no answer."""
        if response.is_redirect:
            raise RegistryError(responses.answers(response.status_code))
        responses.require_identity_encoding(response.headers)
        deadline, parts, length = time.monotonic() + self.timing.total, [], 0
        try:
            # What has come, and not what was asked for: a body that drips would else never meet the deadline.
            while part := response.raw.read1(64 * 1024, decode_content=False):
                parts.append(part)
                length += len(part)
                if length > most:
                    raise RegistryError(responses.too_long(most))
                if time.monotonic() > deadline:
                    raise NoResponse(_("the answer takes too long"))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            words = _("the answer broke off (%(error)s)", error=type(error).__name__)
            raise NoResponse(words) from error
        return b"".join(parts)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _next_path(response: requests.Response, url: str, path: str) -> str:
    if "Link" not in response.headers:
        return ""
    return responses.next_page(response.links.get("next", {}).get("url", ""), url, path)
