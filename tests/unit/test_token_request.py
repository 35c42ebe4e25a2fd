"""What arrives at the token door, from clients and from whoever finds it: read, or refused with a 4xx."""

import base64
import io
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_sync.tokens.request import (
    MAX_BASIC,
    MAX_BODY,
    MAX_PASSWORD,
    Credentials,
    TokenError,
    TokenRequest,
    _fields,
    parse_request,
    read_basic,
)

# A server hands headers and query on as latin-1, whatever the bytes were.
LATIN = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = TEXT.filter(lambda name: ":" not in name)


def ask(method: str = "GET", query: str = "", header: str = "", body: bytes = b"") -> TokenRequest:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
    }
    return parse_request(environ | ({"HTTP_AUTHORIZATION": header} if header else {}))


def status(**asked: Any) -> int:
    """200 when it can be read; anything but a Refusal fails the test."""
    try:
        ask(**asked)
    except TokenError as refusal:
        return refusal.status
    return 200


FORM = b"grant_type=password&username=u&password="


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@given(LATIN, st.one_of(LATIN, LATIN.map("Basic {}".format), TEXT.map(basic)))
def test_any_bytes_of_a_get_are_read_or_refused(query: str, header: str) -> None:
    assert status(query=query, header=header) in (200, 400, 401)


@given(
    st.one_of(st.binary(max_size=500), st.binary(max_size=200).map(b"grant_type=password&username=".__add__))
)
def test_any_bytes_of_a_post_are_read_or_refused(body: bytes) -> None:
    assert status(method="POST", body=body) in (200, 400)


@given(LATIN.filter(lambda method: method not in ("GET", "POST")))
def test_any_other_method_is_refused(method: str) -> None:
    assert status(method=method) == 405


@given(NAMES, TEXT)
def test_basic_gives_back_what_was_sent_with_every_colon_of_the_password(name: str, password: str) -> None:
    expected = Credentials(name, password) if name or password else None
    assert ask(header=basic(f"{name}:{password}")).credentials == expected
    assert ask(header=basic(f"{name}:{password}").replace("Basic", "bAsIc")).credentials == expected


@given(NAMES, TEXT, st.lists(TEXT, max_size=5), st.lists(TEXT, max_size=3))
def test_a_form_gives_back_what_was_sent(
    name: str, password: str, scopes: list[str], services: list[str]
) -> None:
    fields = [("grant_type", "password"), ("username", name), ("password", password)]
    fields += [("scope", scope) for scope in scopes] + [("service", service) for service in services]
    got = ask(method="POST", body=urlencode(fields).encode())
    assert got.credentials == (Credentials(name, password) if name or password else None)
    assert (got.scopes, got.services) == (tuple(scopes), frozenset(services))


@given(TEXT, TEXT, TEXT)
def test_the_query_never_says_who_asks(account: str, username: str, password: str) -> None:
    query = urlencode({"account": account, "username": username, "password": password, "client_id": "docker"})
    assert ask(query=query).credentials is None
    assert ask(query=query, header=basic("alice:real")).credentials == Credentials("alice", "real")


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (
            {"method": "POST", "body": b"grant_type=password&a=".ljust(MAX_BODY, b"x")},
            {"method": "POST", "body": b"grant_type=password&a=".ljust(MAX_BODY + 1, b"x")},
        ),
        ({"header": basic("u:" + "p" * (MAX_BASIC // 2))}, {"header": basic("u:" + "p" * MAX_BASIC)}),
        ({"header": basic("u:" + "p" * MAX_PASSWORD)}, {"header": basic("u:" + "p" * (MAX_PASSWORD + 1))}),
        (
            {"method": "POST", "body": FORM + b"p" * MAX_PASSWORD},
            {"method": "POST", "body": FORM + b"p" * (MAX_PASSWORD + 1)},
        ),
    ],
    ids=["form", "header", "password", "password in a form"],
)
def test_what_is_read_is_bounded(asked: dict[str, Any], refused: dict[str, Any]) -> None:
    assert status(**asked) == 200
    assert status(**refused) in (400, 401)


def test_of_a_name_that_nobody_has_enough_is_kept_to_be_wrong() -> None:
    found = read_basic(basic("n" * 5000 + ":p"))
    assert found
    assert len(found.username) < 1000


# What a field may be, and what looks like one: our names whole, in part and escaped, and whatever else.
PIECES = st.sampled_from([
    "scope", "service", "grant_type", "username", "password", "account", "%73cope", "scop%65", "s%63o%70e", "%53cope",
    "%73%65%72%76%69%63%65", "Scope", "scope+", "%20scope", "scope%00", "%", "%%", "%7", "%zz", "%C3%A9", "%e9", "+",
    "=", "&", ";", "a", "é", "\0", "repository:a/b:pull", "repository%3Aa%2Fb%3Apull%2Cpush", " ", "",
])  # fmt: skip
QUERIES = st.lists(PIECES, max_size=30).map("".join)


@given(st.one_of(QUERIES, LATIN, TEXT))
def test_our_names_are_read_as_the_general_parser_reads_them(text: str) -> None:
    general = parse_qs(text, keep_blank_values=True)
    wanted = ("service", "scope", "grant_type", "username", "password")
    assert _fields(text) == {name: general[name] for name in wanted if name in general}


@given(st.one_of(QUERIES.map(str.encode), st.binary(max_size=200)))
def test_a_form_is_read_as_the_general_parser_reads_it(sent: bytes) -> None:
    body = b"grant_type=password&" + sent
    general = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if general["grant_type"] != ["password"]:
        assert status(method="POST", body=body) == 400
        return
    got = ask(method="POST", body=body)
    name, password = general.get("username", [""])[0], general.get("password", [""])[0]
    assert got.credentials == (Credentials(name, password) if name or password else None)
    assert (got.scopes, got.services) == (
        tuple(general.get("scope", ())),
        frozenset(general.get("service", ())),
    )


@pytest.mark.parametrize(
    "rest", ["&a=1", "&", "&scope", "&scope=repository%3Ateam%2Fapp%3Apull", "&%73cope=x", "%20"]
)
def test_what_comes_after_thousands_of_others_is_read(rest: str) -> None:
    """Clients sort what they ask: `service` comes last."""
    assert ask(query=rest * 5000 + "&service=here").services == {"here"}


class Endless(io.RawIOBase):
    """A body without an end; remembers how much of it was taken."""

    taken = 0

    def read(self, size: int = -1, /) -> bytes:
        assert size >= 0
        self.taken += size
        return b"x" * size


def test_an_endless_body_is_left_after_the_bound() -> None:
    body = Endless()
    with pytest.raises(TokenError):
        parse_request({"REQUEST_METHOD": "POST", "wsgi.input": body})
    assert body.taken <= MAX_BODY + 1


@given(NAMES, st.text("0123456789abcdef", min_size=8, max_size=40))
def test_a_password_is_not_written_by_what_carries_it(name: str, password: str) -> None:
    secret = "rmp" + password
    credentials = Credentials(name.replace(secret, ""), secret)
    request = TokenRequest(frozenset(), (), credentials, oauth=False)
    for text in (repr(credentials), str(credentials), f"{request}", repr(request), repr([request])):
        assert secret not in text


@pytest.mark.parametrize("header", [basic("u:p")[:-3] + "\xe9", "Basic \xe9", "Basic =", "Basic", "Basic "])
def test_a_header_that_is_no_base64_is_refused_and_its_twin_is_read(header: str) -> None:
    assert status(header=header) == 401
    assert status(header=basic("u:p")) == 200


def test_ollama_signs_with_a_key_of_its_own_and_is_nobody() -> None:
    signed = "AAAAC3NzaC1lZDI1NTE5AAAAIHgO/1+x==:kQ5/0aZ+7Q=="
    asked = {"REQUEST_METHOD": "GET", "QUERY_STRING": "scope=repository:team/llama:pull&ts=1&nonce=x"}
    assert parse_request(asked | {"HTTP_AUTHORIZATION": signed}).credentials is None
    for other in (f"Bearer {signed}", f"Basic {signed}", f"{signed}:x", "a b:c", ":" * 2, "name:p@ss"):
        with pytest.raises(TokenError) as refused:
            parse_request(asked | {"HTTP_AUTHORIZATION": other})
        assert refused.value.status == 401
