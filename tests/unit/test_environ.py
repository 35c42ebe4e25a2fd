"""What the application sees of a request: what came with it, each header under a name that no other can take."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager.server.environ import BadRequest, environ_of, with_body

NAMES = st.binary(
    min_size=1,
    max_size=12,
).map(bytes.lower)


def environ(*headers: tuple[bytes, bytes], **scope: Any) -> dict[str, Any]:
    return environ_of(
        {"method": "GET", "raw_path": b"/", "query_string": b"", "http_version": "1.1", "scheme": "http",
         "client": ("192.0.2.1", 5), "server": ("127.0.0.1", 8000), "headers": headers} | scope
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"x-real-ip", b"host"],
)
def test_a_header_is_only_taken_under_its_own_name(name: bytes) -> None:
    key = f"HTTP_{name.decode().replace('-', '_').upper()}"
    folds = {
        name.replace(b"-", b"_"),
        name.replace(b"-", b"_", 1),
        name.replace(b"-", b"."),
        name.replace(b"-", b" "),
    }
    for other in (folds | {name + b"_", name + b"\xc2\xad", name.replace(b"o", "ο".encode())}) - {name}:
        assert key not in environ((other, b"spoofed"))
        assert environ((name, b"true"), (other, b"spoofed"))[key] == "true"
        assert environ((other, b"spoofed"), (name, b"true"))[key] == "true"


@given(st.lists(st.tuples(NAMES, st.binary(max_size=5)), max_size=8))
def test_no_two_names_become_one(headers: list[tuple[bytes, bytes]]) -> None:
    headers = [(name, value) for name, value in headers if name != b"host"]
    told = {key for key in environ(*headers) if key.startswith("HTTP_")}
    names = {name for name, _value in headers if re.fullmatch(rb"[a-z0-9-]+", name)}
    assert len(told) <= len(names)
    assert {key.removeprefix("HTTP_").replace("_", "-").lower().encode() for key in told} <= names


def test_what_is_sent_twice_is_joined_in_its_order() -> None:
    made = environ(
        (b"x-forwarded-for", b"6.6.6.6"),
        (b"cookie", b"a=1"),
        (b"x-forwarded-for", b"192.0.2.7"),
        (b"cookie", b"b=2"),
    )
    assert made["HTTP_X_FORWARDED_FOR"] == "6.6.6.6,192.0.2.7"
    assert made["HTTP_COOKIE"] == "a=1; b=2"


def test_two_hosts_are_refused() -> None:
    with pytest.raises(BadRequest):
        environ((b"host", b"registry.example.com"), (b"host", b"evil.example"))


def test_nothing_of_the_process_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    made = environ((b"proxy", b"http://evil.example"))
    assert {key for key in made if key.startswith("HTTP_")} == set()
    assert "DATABASE_PASSWORD" not in made


def test_path_and_query_are_bytes_as_they_came() -> None:
    made = environ(raw_path=b"/a%2Fb/%C3%A9/%FF/+", query_string=b"q=%41+\xff")
    assert made["PATH_INFO"].encode("latin-1") == b"/a/b/\xc3\xa9/\xff/+"
    assert made["QUERY_STRING"] == "q=%41+\xff"
    assert (made["REMOTE_ADDR"], made["SERVER_PORT"]) == ("192.0.2.1", "8000")


def test_a_body_has_its_true_length_or_the_announced_one() -> None:
    assert with_body(environ((b"content-length", b"9")), b"abc")["CONTENT_LENGTH"] == "3"
    long = with_body(environ(), b"", 1_000_000)
    assert (long["CONTENT_LENGTH"], long["wsgi.input"].read()) == ("1000000", b"")


def test_a_socket_without_an_address_is_nobody() -> None:
    assert environ(client=None, server=None)["REMOTE_ADDR"] == ""
