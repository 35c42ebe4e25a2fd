"""Asks the registry for the tags of many repositories at once: thousands of small answers a second.

Runs an event loop in a thread of its own, so that the caller keeps its thread, and its database connection.
"""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from registry_sync.client import answers
from registry_sync.client.answers import Fetched, Missing, RegistryError, Unreachable

PARALLEL = 32
TRIES = 3
PAUSE_MAX = 5.0  # seconds between tries, also when Retry-After asks for more
GIVE_UP = 64  # as many in a row without an answer, more than are asked at once, and nothing more is asked
BODIES_MAX = 64 * 1024 * 1024  # bytes of manifests kept from one read; the rest is fetched again by digest
BEAT = 10.0  # seconds between calls of `alive`


@dataclass(slots=True)
class TagsRead:
    """A repository's complete tag list: tag → digest, with the manifests that came along.

    `unreadable` tags are in the list, but their manifest did not come: nothing is known about them. `gone` are
    not in the list, and the registry said of each, asked for just this, that it has it not.
    `problem` set means the list itself is not complete, and nothing at all may be concluded. `missing`: there
    is no such repository.
    """

    repository: str
    digests: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, Fetched] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    problem: str = ""
    missing: bool = False


class Sweep:
    """A context manager. `token_for` as in Registry; `requests` counts what was asked."""

    def __init__(self, url: str, token_for: Callable[..., str], *, parallel: int = PARALLEL) -> None:
        self.url = url
        self.requests = 0
        self._token_for = token_for
        self._parallel = parallel
        self._silent = 0
        self._bodies = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sweep", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._session, self._gate = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._session.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def read_tags(
        self, known: Mapping[str, Mapping[str, str]], *, alive: Callable[[], None] = lambda: None
    ) -> list[TagsRead]:
        """`known`: repository → tag → digest that we have. An unchanged tag costs one conditional request.

        `alive` is called in the caller's thread while it lasts; when it raises, the reading stops.
        """
        self._bodies = self._silent = 0
        reading = asyncio.run_coroutine_threadsafe(self._read_all(known), self._loop)
        try:
            while True:
                try:
                    return reading.result(timeout=BEAT)
                except TimeoutError:
                    alive()
        finally:
            reading.cancel()

    async def _open(self) -> tuple[aiohttp.ClientSession, "_Gate"]:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._parallel, ttl_dns_cache=30),
            timeout=aiohttp.ClientTimeout(
                total=answers.TOTAL, sock_connect=answers.CONNECT, sock_read=answers.READ
            ),
            headers=answers.HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return session, _Gate(self._parallel)

    async def _read_all(self, known: Mapping[str, Mapping[str, str]]) -> list[TagsRead]:
        return await asyncio.gather(*(self._read(name, tags) for name, tags in known.items()))

    async def _read(self, repository: str, known: Mapping[str, str]) -> TagsRead:
        read = TagsRead(repository)
        try:
            await self._read_into(read, known)
        except RegistryError as error:
            read.problem = str(error)
        return read

    async def _read_into(self, read: TagsRead, known: Mapping[str, str]) -> None:
        try:
            listed = await self._tags(read.repository)
        except Missing:
            # Distribution 2.8 lists a repository that has blobs and no manifest yet.
            read.missing, listed = True, []
        for some in _batches([*dict.fromkeys([*listed, *known])]):
            await asyncio.gather(*(self._read_tag(read, tag, known.get(tag, "")) for tag in some))
        unlisted = read.gone & set(listed)  # deleted since the list was made, or a lie
        read.gone -= unlisted
        read.unreadable += unlisted

    async def _read_tag(self, read: TagsRead, tag: str, known: str) -> None:
        """Also of a known tag that the list lacks: lists have been wrong where the tag itself was right."""
        try:
            fetched = await self._manifest(read.repository, tag, known)
        except Unreachable:
            raise
        except Missing:
            read.gone.add(tag)
            return
        except RegistryError:
            read.unreadable.append(tag)
            return
        read.digests[tag] = fetched.digest if fetched else known
        if fetched and fetched.digest not in read.fetched and self._bodies + len(fetched.body) <= BODIES_MAX:
            self._bodies += len(fetched.body)
            read.fetched[fetched.digest] = fetched

    async def _tags(self, repository: str) -> list[str]:
        pages, path, found = answers.Pages(), f"/v2/{repository}/tags/list", dict[str, None]()
        while path:
            _status, headers, body, link = await self._get(
                pages.visit(path), repository, {}, answers.LIST_MAX
            )
            found.update(dict.fromkeys(answers.tags(body)))
            path = answers.next_page(link, path) if "Link" in headers else ""
        return list(found)

    async def _manifest(self, repository: str, tag: str, known: str) -> Fetched | None:
        path, headers = f"/v2/{repository}/manifests/{tag}", answers.manifest_headers(known)
        status, answered, body, _link = await self._get(path, repository, headers, answers.MANIFEST_MAX)
        if status == answers.NOT_MODIFIED and known:
            return None
        return answers.manifest(repository, tag, answered, body)

    async def _get(
        self, path: str, scope: str, headers: dict[str, str], most: int
    ) -> tuple[int, Mapping[str, str], bytes, str]:
        """Status, headers, body and the target of the next page, after a bounded number of tries."""
        for attempt in range(1, TRIES + 1):
            if self._silent >= GIVE_UP:
                raise Unreachable("the registry does not answer")
            try:
                return await self._try(path, scope, headers, most)
            except _Later as error:
                self._gate.narrow()
                if attempt == TRIES:
                    raise Unreachable(str(error)) from error
                await asyncio.sleep(min(error.after or random.uniform(0, 0.2 * 2**attempt), PAUSE_MAX))  # noqa: S311
        raise AssertionError("unreachable")

    async def _try(
        self, path: str, scope: str, headers: dict[str, str], most: int
    ) -> tuple[int, Mapping[str, str], bytes, str]:
        headers = headers | {"Authorization": f"Bearer {self._token_for(scope)}"}
        try:
            async with self._gate.one(), self._answer(path, headers) as response:
                self._silent = 0
                good = response.status in (answers.OK, answers.NOT_MODIFIED)
                body = await _body(response, most if good else answers.MANIFEST_MAX)
                if not good:
                    raise _refusal(response, body)
                link = response.links.get("next")
                return response.status, response.headers, body, str(link["url"]) if link else ""
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._silent += 1
            raise _Later(f"the registry does not answer ({type(error).__name__})") from error

    @asynccontextmanager
    async def _answer(self, path: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        self.requests += 1
        async with self._session.get(self.url + path, headers=headers, allow_redirects=False) as response:
            yield response


class _Later(RegistryError):
    """Worth another try; `after` seconds, when the registry said how long."""

    def __init__(self, words: str, after: float = 0) -> None:
        super().__init__(words)
        self.after = after


class _Gate:
    """How many requests may be under way: fewer when the registry cannot keep up, one more for each success."""

    def __init__(self, most: int) -> None:
        self._most = self._wide = most
        self._under_way = 0
        self._free = asyncio.Condition()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        async with self._free:
            await self._free.wait_for(lambda: self._under_way < self._wide)
            self._under_way += 1
        try:
            yield
            self._wide = min(self._wide + 1, self._most)
        finally:
            async with self._free:
                self._under_way -= 1
                self._free.notify()

    def narrow(self) -> None:
        self._wide = max(2, self._wide // 2)


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    parts, length = [], 0
    async for part in response.content.iter_chunked(64 * 1024):
        parts.append(part)
        length += len(part)
        if length > most:
            raise RegistryError(f"the answer is longer than {most} bytes")
    return b"".join(parts)


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> RegistryError:
    error = answers.refusal(response.status, body)
    if not isinstance(error, Unreachable):
        return error
    after = response.headers.get("Retry-After", "")
    return _Later(str(error), float(after) if after.isascii() and after.isdigit() else 0)


def _batches(tags: list[str]) -> list[list[str]]:
    """So that a repository of 200,000 tags is not 200,000 tasks at once."""
    return [tags[start : start + 1000] for start in range(0, len(tags), 1000)]
