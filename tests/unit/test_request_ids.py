"""Each request has an id: the proxy's if it is well-formed, else a new one; and its answer says which."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import pytest

from manager.server import request_ids
from manager.server.bodies import Refused
from manager.server.environ import Environ, Scope
from manager.server.front import Front, say
from manager.server.threads import Send


async def _handler(environ: Environ, _scope: Scope, send: Send) -> None:
    if environ["PATH_INFO"] == "/refused":
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "It has too much to do.")
    await say(send, 200, environ.get(request_ids.ENVIRON, "none"))  # type: ignore[arg-type]


def answered(
    *headers: tuple[bytes, bytes], gives_ids: bool = True, raw_path: bytes = b"/", method: str = "GET"
) -> tuple[str, str]:
    """Return the id in the header of the answer, "" for none; and its text, the id that the application saw."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    scope = {
        "method": method, "raw_path": raw_path, "query_string": b"", "http_version": "1.1", "scheme": "http",
        "client": ("192.0.2.1", 5), "server": ("127.0.0.1", 8000), "headers": headers,
    }  # fmt: skip
    asyncio.run(Front(_handler, lambda _environ: 9, gives_ids=gives_ids)(scope, receive, send))
    found = [value.decode() for name, value in messages[0]["headers"] if name == b"x-request-id"]
    assert len(found) <= 1
    return "".join(found), messages[1]["body"].decode().strip()


@pytest.mark.parametrize(
    "given", ["7f3b6c1e-8a54-4f0e-9d8c-2b1a0c9d8e7f", "a" * 8, "a" * 64, "0123456789abcdef", "k8s_1.2-3x"]
)
def test_one_that_is_well_formed_is_kept(given: str) -> None:
    assert answered((b"x-request-id", given.encode())) == (given, given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "a" * 65,
        "a b c d e f",
        'x"}, {"level": 1',
        "äääääääää",
        "12345678\n",
        "1234567/",
        "a,b,c,d,e",
    ],
)
def test_what_is_not_well_formed_is_replaced(given: str) -> None:
    said, seen = answered((b"x-request-id", given.encode("latin-1")))
    assert said == seen != given
    assert re.fullmatch("[0-9a-f]{32}", said)


def test_two_are_none() -> None:
    said, _seen = answered((b"x-request-id", b"a" * 8), (b"x-request-id", b"b" * 8))
    assert re.fullmatch("[0-9a-f]{32}", said)


def test_each_request_has_its_own() -> None:
    assert answered()[0] != answered()[0]


@pytest.mark.parametrize(
    ("request_of", "text"),
    [
        ({"headers": [(b"host", b"a"), (b"host", b"b")]}, "The request names two hosts."),
        ({"method": "POST", "headers": [(b"content-length", b"5")]}, "The request's body broke off."),
        ({"raw_path": b"/refused"}, "It has too much to do."),
    ],
)
def test_what_the_front_answers_itself_has_one_too(request_of: dict[str, Any], text: str) -> None:
    headers = [*request_of.pop("headers", ()), (b"X-Request-ID", b"a" * 16)]
    assert answered(*headers, **request_of) == ("a" * 16, text)
    assert answered(*headers, **request_of, gives_ids=False) == ("", text)


def test_none_where_they_are_not_given() -> None:
    assert answered((b"x-request-id", b"a" * 16), gives_ids=False) == ("", "none")


def test_lines_of_a_thread_are_of_what_it_answers() -> None:
    seen = []

    def inner(_environ: Environ, _start_response: Any) -> list[bytes]:
        seen.append(request_ids.current.id)
        return []

    application = request_ids.middleware(inner)
    application({request_ids.ENVIRON: "abcdef12"}, print)
    application({}, print)
    assert seen == ["abcdef12", ""]
    assert request_ids.current.id == ""


def test_also_when_it_fails() -> None:
    def inner(_environ: Environ, _start_response: Any) -> list[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request_ids.middleware(inner)({request_ids.ENVIRON: "abcdef12"}, print)
    assert request_ids.current.id == ""
