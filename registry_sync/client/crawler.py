"""Asks the registry for the tags of many repositories at once: thousands of small answers a second.

Runs an event loop in a thread of its own, so that the caller keeps its thread, and its database connection.
"""

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import aiohttp

from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from registry_sync.client import pacing, responses
from registry_sync.client.pacing import ReadPacer
from registry_sync.client.responses import (
    FetchedManifest,
    NoResponse,
    NotInRegistry,
    RegistryError,
    TemporaryFailure,
)
from registry_sync.client.timing import USUAL, Timing

PARALLEL = 32
ATTEMPTS = 3
PAUSE_MAX = 5.0  # seconds of rest, also when Retry-After asks for more
NO_RESPONSE_MAX = (
    64  # in a row without an answer, more than are asked at once: it is asked whether it is away
)
UNANSWERED_TAGS_MAX = (
    64  # tags of a repository without an answer, if no more had one: the rest is not asked for
)
NO_RESPONSE_TAGS_MAX = (
    32  # tags in a row of one repository without even an error, and the rest is not asked for
)
# Of manifests that are kept from one reading; the rest is fetched again by digest.
KEPT_BYTES_MAX = 64 * 1024 * 1024
TagRef = tuple[str, str]  # repository, tag
Answer = TypeVar("Answer")


@dataclass(slots=True)
class RepositoryTags:
    """A repository's complete tag list: tag → digest, with the manifests that came along.

    `unreadable` tags are there, but their manifest did not come, and why: nothing is known about them. Of
    `unreached` of them there was no answer at all, so it may be better later. `gone` are not in the list, and the
    registry said of each, asked for just this, that it has it not. `problem` set means the list itself is not
    complete, and nothing at all may be concluded. `missing`: there is no such repository.
    """

    repository: str
    digests: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, FetchedManifest] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    unreached: int = 0
    server_errors: set[str] = field(default_factory=set)  # those of them that got a 429 or 5xx
    no_response_streak: int = 0  # the last so many in a row got no answer at all, not even an error
    gone: set[str] = field(default_factory=set)
    problem: str = ""
    missing: bool = False

    def forget_server_errors(self) -> None:
        self.unreached -= len(self.server_errors)
        for tag in self.server_errors:
            del self.unreadable[tag]
        self.server_errors = set()


class TagCrawler:
    """A context manager. `token_for` as in RegistryClient; `requests` counts what was asked."""

    def __init__(
        self,
        url: str,
        token_for: Callable[..., str],
        *,
        parallel: int = PARALLEL,
        pace: ReadPacer | None = None,
        timing: Timing = USUAL,
    ) -> None:
        self.url = url
        self._timing = timing
        self._pace = pace or ReadPacer()
        self.requests = 0
        self._token_for = token_for
        self._parallel = parallel
        self.away = False  # it answered nothing at all in the end, and the rest was not asked for
        self._no_response_streak = 0
        self._kept_bytes = 0
        self._no_retry: Collection[str] = ()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crawler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._session, self._limiter, self._probe_lock = asyncio.run_coroutine_threadsafe(
            self._open(), self._loop
        ).result()
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def read_tags(
        self,
        known: Mapping[str, Mapping[str, str]],
        *,
        quick: bool = False,
        no_retry: Collection[str] = (),
        alive: Callable[[], None] = lambda: None,
    ) -> list[RepositoryTags]:
        """`known`: repository → tag → digest that we have. An unchanged tag costs one conditional request.

        `quick`: a tag that is known and listed is believed to be unchanged, and costs nothing.
        `no_retry`: repositories whose tags got no answer many times: none is tried again.
        `alive` is called in the caller's thread while it lasts; when it raises, the reading stops.
        """
        self._kept_bytes, self._no_retry = 0, no_retry
        return self._run(self._read_all(known, quick), alive)

    def unchanged_tags(
        self, known: Mapping[TagRef, str], *, alive: Callable[[], None] = lambda: None
    ) -> set[TagRef]:
        """Return those of (repository, tag) → digest that still have it: one conditional request for each.

        The first that gets no answer ends it, so that it takes no longer than one question. `alive` as above.
        """
        self._no_retry = {repository for repository, _tag in known}
        return self._run(self._read_unchanged(known), alive)

    def _run(self, work: Coroutine[Any, Any, Answer], alive: Callable[[], None]) -> Answer:
        self._no_response_streak, self.away = 0, False
        reading = asyncio.run_coroutine_threadsafe(work, self._loop)
        beat = time.monotonic() + self._timing.beat
        try:
            while True:
                try:
                    return reading.result(timeout=min(self._timing.poll, self._timing.beat))
                except TimeoutError:
                    self._pace.update()
                    if time.monotonic() >= beat:
                        alive()
                        beat = time.monotonic() + self._timing.beat
        finally:
            reading.cancel()

    async def _open(self) -> tuple[aiohttp.ClientSession, "AdaptiveLimiter", asyncio.Lock]:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._parallel, ttl_dns_cache=30),
            timeout=aiohttp.ClientTimeout(
                total=self._timing.total, sock_connect=self._timing.connect, sock_read=self._timing.read
            ),
            headers=responses.HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return session, AdaptiveLimiter(self._parallel), asyncio.Lock()

    async def _close(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()
        await asyncio.sleep(0)  # connections close in the loop's next round

    async def _read_all(self, known: Mapping[str, Mapping[str, str]], quick: bool) -> list[RepositoryTags]:
        return await asyncio.gather(*(self._read(name, tags, quick) for name, tags in known.items()))

    async def _read_unchanged(self, known: Mapping[TagRef, str]) -> set[TagRef]:
        found, left = set[TagRef](), iter(known)

        async def ask_some() -> None:
            for ref in left:
                try:
                    fetched = await self._manifest(*ref, known[ref])
                except NoResponse:
                    raise
                except RegistryError:
                    continue
                if not fetched or fetched.digest == known[ref]:  # some proxies drop the condition
                    found.add(ref)

        try:
            async with asyncio.TaskGroup() as group:
                for _each in range(min(self._parallel, len(known))):
                    group.create_task(ask_some())
        except* NoResponse:
            self.away = True  # the group has stopped the others
        return found

    async def _read(self, repository: str, known: Mapping[str, str], quick: bool) -> RepositoryTags:
        read = RepositoryTags(repository)
        try:
            await self._read_into(read, known, quick)
        except* RegistryError as errors:
            read.problem = _first_message(errors)
        return read

    async def _read_into(self, read: RepositoryTags, known: Mapping[str, str], quick: bool) -> None:
        try:
            listed = await self._tags(read.repository)
        except NotInRegistry:
            # Distribution 2.8 lists a repository that has blobs and no manifest yet.
            read.missing, listed = True, []
        if quick:
            read.digests = {tag: known[tag] for tag in listed if known.get(tag)}
        to_read = [tag for tag in dict.fromkeys([*listed, *known]) if tag not in read.digests]
        random.shuffle(to_read)  # those without an answer may stand together, and before all others
        await self._read_each(read, to_read, known)
        failed = read.server_errors
        if failed and len(failed) <= UNANSWERED_TAGS_MAX and read.repository not in self._no_retry:
            # 2.8 on a filesystem answers 500 for a tag while it is being pushed, for as long as its disk takes.
            await asyncio.sleep(self._timing.rewrite)
            read.forget_server_errors()
            await self._read_each(read, list(failed), known)
        listed_but_gone = read.gone & set(listed)  # deleted since the list was made, or a lie
        read.gone -= listed_but_gone
        read.unreadable |= dict.fromkeys(listed_but_gone, _("listed, but not in the registry"))

    async def _read_each(self, read: RepositoryTags, tags: Sequence[str], known: Mapping[str, str]) -> None:
        left = iter(tags)  # shared, so that 200,000 tags are not as many tasks
        async with asyncio.TaskGroup() as group:  # the first that gives up stops the others
            for _each in tags[: self._parallel]:
                group.create_task(self._read_some(read, left, known))

    async def _read_some(self, read: RepositoryTags, left: Iterator[str], known: Mapping[str, str]) -> None:
        for tag in left:
            await self._read_tag(read, tag, known.get(tag, ""))
            if read.no_response_streak >= NO_RESPONSE_TAGS_MAX or read.unreached >= max(
                UNANSWERED_TAGS_MAX, len(read.digests)
            ):
                raise TemporaryFailure(
                    ngettext(
                        "%(n)s of its tags got no answer", "%(n)s of its tags got no answer", read.unreached
                    )
                )

    async def _read_tag(self, read: RepositoryTags, tag: str, known: str) -> None:
        """Also of a known tag that the list lacks: lists have been wrong where the tag itself was right."""
        try:
            fetched = await self._manifest(read.repository, tag, known)
        except NotInRegistry:
            read.gone.add(tag)
            return
        except RegistryError as error:
            if self.away:
                raise
            read.unreadable[tag] = error.text
            read.unreached += isinstance(error, TemporaryFailure)
            read.no_response_streak += isinstance(error, NoResponse)
            if isinstance(error, TemporaryFailure) and not isinstance(error, NoResponse):
                read.server_errors.add(tag)
            return
        read.no_response_streak = 0
        read.digests[tag] = fetched.digest if fetched else known
        if fetched and fetched.digest not in read.fetched:
            self._keep(read, fetched)

    def _keep(self, read: RepositoryTags, fetched: FetchedManifest) -> None:
        if self._kept_bytes + len(fetched.body) <= KEPT_BYTES_MAX:
            self._kept_bytes += len(fetched.body)
            read.fetched[fetched.digest] = fetched

    async def _tags(self, repository: str) -> list[str]:
        # Without `n`: asked in pages, Distribution on S3 (3.1.2 too) loses names and repeats others.
        pages, path, tags = (
            responses.PageGuard(),
            responses.api_path(repository, "tags/list"),
            dict[str, None](),
        )
        while path:
            _status, headers, body, link = await self._get(
                pages.visit(path), repository, {}, responses.LIST_MAX
            )
            tags.update(dict.fromkeys(responses.tags(body)))
            path = responses.next_page(link, self.url, path) if "Link" in headers else ""
        return list(tags)

    async def _manifest(self, repository: str, tag: str, known: str) -> FetchedManifest | None:
        path, headers = responses.api_path(repository, "manifests", tag), responses.manifest_headers(known)
        status, answered, body, _link = await self._get(
            path, repository, headers, responses.MANIFEST_MAX, causes_event=True
        )
        if status == responses.NOT_MODIFIED and known:
            return None
        return responses.checked_manifest(repository, tag, answered, body)

    async def _get(
        self, path: str, scope: str, headers: dict[str, str], most: int, *, causes_event: bool = False
    ) -> tuple[int, Mapping[str, str], bytes, str]:
        """Return status, headers, body and the target of the next page, after a bounded number of tries.

        `causes_event`: the registry sends an event about it.
        """
        problem: str = _("the registry does not answer")
        kind: type[TemporaryFailure] = TemporaryFailure
        tries = 1 if scope in self._no_retry else ATTEMPTS
        for attempt in range(1, tries + 1):
            async with self._limiter:
                while causes_event and self._pace.is_ahead():  # here: thousands may wait for the limiter
                    await asyncio.sleep(self._timing.poll)
                if self.away or (
                    self._no_response_streak >= NO_RESPONSE_MAX and not await self._answers_others()
                ):
                    break
                stamp = pacing.stamp()
                headers = headers | {"User-Agent": stamp.agent}
                try:
                    answered = await self._try(path, scope, headers, most)
                except _RetryLater as error:
                    problem, kind = error.text, error.kind
                    if error.overloaded:
                        self._limiter.narrow()
                    # Still in the limiter: those who wait do not press a registry that is away, or asks for time.
                    await asyncio.sleep(min(error.rest, PAUSE_MAX))
                else:
                    if causes_event and answered[0] == responses.OK:
                        self._pace.note_read(stamp.at)
                    return answered
            await asyncio.sleep(random.uniform(0, self._timing.jitter * 2**attempt) if attempt < tries else 0)  # noqa: S311
        raise kind(problem)

    async def _answers_others(self) -> bool:
        """Once it does not, it is away."""
        async with self._probe_lock:
            if self._no_response_streak >= NO_RESPONSE_MAX and not self.away:
                self._no_response_streak = 0
                try:
                    await self._try(responses.PROBE_PATH, responses.CATALOG, {}, responses.LIST_MAX)
                except RegistryError:
                    self.away = True
            return not self.away

    async def _try(
        self, path: str, scope: str, headers: dict[str, str], most: int
    ) -> tuple[int, Mapping[str, str], bytes, str]:
        headers = headers | {"Authorization": f"Bearer {self._token_for(scope)}"}
        try:
            self.requests += 1
            async with self._session.get(self.url + path, headers=headers, allow_redirects=False) as response:
                self._no_response_streak = 0
                good = response.status in (responses.OK, responses.NOT_MODIFIED)
                body = await _read_body(response, most if good else responses.MANIFEST_MAX)
                if not good:
                    raise _error_of(response, body)
                self._limiter.widen()
                return response.status, response.headers, body, _next_link(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._no_response_streak += 1
            raise _RetryLater(responses.no_answer(error), self._timing.rest, kind=NoResponse) from error


class _RetryLater(RegistryError):
    """Worth another try. `rest`: seconds in which the registry as a whole is to be left alone.

    `overloaded`: perhaps too much is asked at once. A 500 says no more than that this one thing cannot be answered.
    """

    def __init__(
        self,
        text: str,
        rest: float = 0,
        *,
        overloaded: bool = True,
        kind: type[TemporaryFailure] = TemporaryFailure,
    ) -> None:
        super().__init__(text)
        self.rest = rest
        self.overloaded = overloaded
        self.kind = kind


class AdaptiveLimiter:
    """How many requests may be under way: fewer when the registry cannot keep up, one more for each success."""

    def __init__(self, most: int) -> None:
        self._most = self._wide = most
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._under_way < self._wide and not self._waiting:
            self._under_way += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # its turn had come
            raise

    async def __aexit__(self, *_error: object) -> None:
        self._leave()

    def narrow(self) -> None:
        self._wide = max(2, self._wide // 2)

    def widen(self) -> None:
        self._wide = min(self._wide + 1, self._most)

    def _leave(self) -> None:
        """In order: who waits has its turn before who comes."""
        self._under_way -= 1
        while self._waiting and self._under_way < self._wide:
            turn = self._waiting.popleft()
            if not turn.done():  # it is, when the reading stopped
                self._under_way += 1
                turn.set_result(None)


def _first_message(errors: BaseExceptionGroup[RegistryError]) -> str:
    first = errors.exceptions[0]
    return _first_message(first) if isinstance(first, BaseExceptionGroup) else first.text


def _next_link(response: aiohttp.ClientResponse) -> str:
    link = response.links.get("next") if "Link" in response.headers else None
    return str(link["url"]) if link else ""


async def _read_body(response: aiohttp.ClientResponse, most: int) -> bytes:
    responses.require_identity_encoding(response.headers)
    if response.content_length is not None and response.content_length <= most:
        return await response.read()  # never more than it says
    parts, length = [], 0
    async for part in response.content.iter_chunked(64 * 1024):
        parts.append(part)
        length += len(part)
        if length > most:
            raise RegistryError(responses.too_long(most))
    return b"".join(parts)


def _error_of(response: aiohttp.ClientResponse, body: bytes) -> RegistryError:
    error = responses.error_of(response.status, body)
    if not isinstance(error, TemporaryFailure):
        return error
    after = response.headers.get("Retry-After", "")
    rest = float(after) if after.isascii() and after.isdigit() else 0
    return _RetryLater(error.text, rest, overloaded=response.status != responses.SERVER_ERROR)
