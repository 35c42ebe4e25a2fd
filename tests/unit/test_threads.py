"""A WSGI application in threads: its answer leaves whole, in parts, or as a file, and no thread waits for a reader."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from manager.server.bodies import Refused
from manager.server.fair_queue import WAITING
from manager.server.threads import AT_ONCE, Threads, WsgiApplication

HEADERS = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]


class Parts:
    """A body in parts that knows in which threads it was made, and whether it was closed."""

    def __init__(self, *parts: bytes) -> None:
        self.left, self.threads, self.closed = list(parts), set[str](), 0

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            self.threads.add(threading.current_thread().name)
            yield self.left.pop(0)

    def close(self) -> None:
        self.closed += 1


def answering(body: Iterable[bytes], status: str = "200 OK") -> WsgiApplication:
    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(status, HEADERS)
        return body

    return application


def sent_by(application: WsgiApplication, *, sends_files: bool = True) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def story() -> None:
        await Threads(application, 2).answer(
            {"REQUEST_METHOD": "GET"}, send, address="192.0.2.1", sends_files=sends_files
        )

    asyncio.run(story())
    return messages


def body_of(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


@pytest.mark.parametrize("parts", [(), (b"",), (b"ab",), (b"a", b"b", b"c")])
def test_a_short_answer_leaves_whole(parts: tuple[bytes, ...]) -> None:
    made = Parts(*parts)
    start, body = sent_by(answering(made, "418 I'm a teapot"))
    assert start["status"] == 418
    assert start["headers"] == [
        (b"content-type", b"text/plain"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    assert body == {"type": "http.response.body", "body": b"".join(parts)}
    assert made.closed == 1


def test_a_long_answer_leaves_in_parts_made_in_threads() -> None:
    made = Parts(*[b"x" * 100_000] * 10)
    messages = sent_by(answering(made))
    assert body_of(messages) == b"x" * 1_000_000
    assert all(len(message.get("body", b"")) < AT_ONCE + 100_000 for message in messages)
    assert [message.get("more_body", False) for message in messages[1:]] == [True] * (len(messages) - 2) + [
        False
    ]
    assert all(name.startswith("web") for name in made.threads)
    assert made.closed == 1


def test_an_answer_of_exactly_one_part_is_whole() -> None:
    messages = sent_by(answering(Parts(b"x" * AT_ONCE)))
    assert [len(message.get("body", b"")) for message in messages] == [0, AT_ONCE]


def test_who_goes_away_in_the_middle_has_it_closed() -> None:
    made = Parts(*[b"x" * AT_ONCE] * 4)

    async def send(message: dict[str, Any]) -> None:
        if message.get("more_body"):
            raise ConnectionError

    async def story() -> None:
        await Threads(answering(made), 1).answer(
            {"REQUEST_METHOD": "GET"}, send, address="192.0.2.1", sends_files=True
        )

    with pytest.raises(ConnectionError):
        asyncio.run(story())
    assert made.closed == 1
    assert made.left


def test_an_answer_that_has_begun_is_finished_and_closed_however_many_wait() -> None:
    """Refused in the middle it would be cut off, and what it holds open stayed open."""
    made, messages, release = Parts(*[b"x" * AT_ONCE] * 4), list[dict[str, Any]](), threading.Event()

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", HEADERS)
        if environ["PATH_INFO"] == "/long":
            return made
        release.wait(120)
        return [b""]

    async def story() -> None:
        threads, others = Threads(application, 1), list[asyncio.Task[None]]()

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)
            if message["type"] == "http.response.start":  # now the address fills the line
                others.extend(asyncio.create_task(ask(threads, "/")) for _each in range(WAITING))
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_soon(release.set)

        async def ask(threads: Threads, path: str) -> None:
            into = send if path == "/long" else _drop
            await threads.answer(
                {"REQUEST_METHOD": "GET", "PATH_INFO": path}, into, address="192.0.2.1", sends_files=False
            )

        await ask(threads, "/long")
        refused = await asyncio.gather(*others, return_exceptions=True)
        assert any(isinstance(each, Refused) for each in refused)

    asyncio.run(story())
    assert body_of(messages) == b"x" * AT_ONCE * 4
    assert made.closed == 1


async def _drop(_message: dict[str, Any]) -> None:
    pass


def test_an_application_that_fails_in_its_answer_has_it_closed() -> None:
    made = Failing()
    with pytest.raises(ZeroDivisionError):
        sent_by(answering(made))
    assert made.closed == 1


class Failing(Parts):
    def __iter__(self) -> Iterator[bytes]:
        raise ZeroDivisionError


@pytest.mark.parametrize("sends_files", [True, False])
def test_a_file_is_left_to_the_server_where_it_can(tmp_path: Path, *, sends_files: bool) -> None:
    path = tmp_path / "panel.css"
    path.write_bytes(b"a" * 600_000)

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", HEADERS)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](path.open("rb"))
        return wrapped

    messages = sent_by(application, sends_files=sends_files)
    if sends_files:
        assert messages[1:] == [{"type": "http.response.pathsend", "path": str(path)}]
    else:
        assert body_of(messages) == b"a" * 600_000


def test_no_more_run_at_once_than_there_are_threads() -> None:
    running, most, lock, both = 0, 0, threading.Lock(), threading.Barrier(2)

    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(120)
        with lock:
            running -= 1
        start_response("204 No Content", [])
        return []

    async def send(_message: dict[str, Any]) -> None:
        pass

    async def story() -> None:
        threads = Threads(application, 2)
        await asyncio.gather(
            *(
                threads.answer({"REQUEST_METHOD": "GET"}, send, address=str(n), sends_files=False)
                for n in range(20)
            )
        )

    asyncio.run(story())
    assert most == 2
