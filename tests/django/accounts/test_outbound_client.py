"""The client for addresses that people name, against real servers on this machine that misbehave."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import EAI_AGAIN, EAI_NONAME, gaierror

import pytest

from accounts.outbound import client
from accounts.outbound.addresses import Networks, networks_from
from accounts.outbound.client import OutboundError, Response
from tests.parts import certificates
from tests.parts.scripted import Scripted, answer

HOST = "issuer.test"
HERE = Networks("ISSUER_NETWORKS", networks_from(["127.0.0.0/8"]))
NOWHERE = Networks("ISSUER_NETWORKS")
MOST = 1000
PATIENCE = 120.0  # seconds; only what hangs takes them
SOON = 0.3


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> certificates.Files:
    return certificates.make(tmp_path_factory.mktemp("tls"), hosts=[HOST])


@pytest.fixture(autouse=True)
def _trusted(files: certificates.Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))


@pytest.fixture
def server(files: certificates.Files) -> Iterator[Scripted]:
    script = Scripted(tls=files)
    yield script
    script.stop()


def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def get(server: Scripted, path: str = "/", *, seconds: float = PATIENCE) -> Response:
    url = f"https://{HOST}:{server.port}{path}"
    return client.get(url, networks=HERE, most_bytes=MOST, seconds=seconds, lookup=here)


def problem(server: Scripted, path: str = "/", *, seconds: float = PATIENCE) -> str:
    with pytest.raises(OutboundError) as error:
        get(server, path, seconds=seconds)
    return str(error.value.message)


def refused(url: str, lookup: client.Lookup = here, networks: Networks = NOWHERE) -> str:
    with pytest.raises(OutboundError) as error:
        client.get(url, networks=networks, most_bytes=MOST, seconds=PATIENCE, lookup=lookup)
    return str(error.value.message)


def test_an_answer_by_name_over_verified_tls(server: Scripted) -> None:
    server.says["/keys"] = answer({"keys": []}, X_One="1")
    found = get(server, "/keys?a=%2F~%7E")
    assert (found.status, found.body, found.headers["x-one"]) == (200, b'{"keys": []}', "1")
    assert server.asked == ["/keys?a=%2F~%7E"]  # as it was written


def test_an_answer_by_address(server: Scripted) -> None:
    server.says["/"] = answer("yes")
    found = client.get(server.url, networks=HERE, most_bytes=MOST, seconds=PATIENCE)
    assert found.body == b"yes"


def test_a_body_and_headers_are_posted(server: Scripted) -> None:
    heard: list[str | None] = []

    def note(request: BaseHTTPRequestHandler) -> object:
        heard.extend(request.headers[name] for name in ("X-Signature", "User-Agent", "Cookie"))
        return answer(status=202)

    server.by_request["/hook"] = note  # type: ignore[assignment]
    url = f"https://{HOST}:{server.port}/hook"
    headers = {"X-Signature": "sha256=ab"}
    found = client.post(
        url, b"{}", headers=headers, networks=HERE, most_bytes=MOST, seconds=PATIENCE, lookup=here
    )
    assert (found.status, heard) == (202, ["sha256=ab", "registry-manager", None])
    assert [each.body for each in server.posted] == [b"{}"]


def test_a_header_cannot_begin_another(server: Scripted) -> None:
    with pytest.raises(OutboundError, match="A header contains a character that cannot be sent"):
        client.post(
            server.url, b"", headers={"X-A": "b\r\nX-C: d"}, networks=HERE, most_bytes=MOST, seconds=PATIENCE
        )
    assert not server.asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(server: Scripted, status: int) -> None:
    server.says["/"] = answer(status=status, Location=f"https://{HOST}:{server.port}/elsewhere")
    assert get(server).status == status
    assert server.asked == ["/"]


def test_no_cookie_is_kept_and_no_proxy_asked(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.says["/"] = answer("yes", Set_Cookie="a=b; Path=/")
    heard: list[str | None] = []

    def note(request: BaseHTTPRequestHandler) -> object:
        heard.append(request.headers["Cookie"])
        return answer("yes")

    server.by_request["/again"] = note  # type: ignore[assignment]
    get(server)
    get(server, "/again")
    assert heard == [None]


def test_an_answer_of_just_the_size_that_is_taken(server: Scripted) -> None:
    server.says["/most"], server.says["/more"] = answer(b"a" * MOST), answer(b"a" * (MOST + 1))
    assert len(get(server, "/most").body) == MOST
    assert problem(server, "/more") == "The answer is longer than 1,000 bytes."


def test_a_compressed_answer_is_not_unpacked(server: Scripted) -> None:
    server.says["/"] = answer(gzip.compress(b"a" * 10_000), Content_Encoding="gzip")
    assert problem(server) == "The answer is compressed, which was not asked for."


def test_an_endless_answer_is_left(server: Scripted) -> None:
    def endless(request: BaseHTTPRequestHandler) -> object:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        while True:
            request.wfile.write(b"100\r\n" + b"a" * 256 + b"\r\n")

    server.by_request["/"] = endless  # type: ignore[assignment]
    assert problem(server) == "The answer is longer than 1,000 bytes."


def test_endless_headers_are_left(server: Scripted) -> None:
    def endless(request: BaseHTTPRequestHandler) -> object:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            request.wfile.write(b"X-More: and more\r\n")

    server.by_request["/"] = endless  # type: ignore[assignment]
    assert problem(server) == f"{HOST} gave no valid HTTP answer."


def test_what_drips_or_stalls_ends_with_its_time(server: Scripted) -> None:
    over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> object:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not over.wait(0.02):
            request.wfile.write(b"a")
            request.wfile.flush()
        return answer()

    server.by_request["/headers"] = drip  # type: ignore[assignment]
    server.says["/body"], server.says["/stall"] = answer(drip=True), answer("x", stall=True)
    try:
        for path in ("/headers", "/body", "/stall"):
            assert (
                problem(server, path, seconds=SOON) == f"{HOST} gave no complete answer within 0.3 seconds."
            )
    finally:
        over.set()


def test_a_name_server_that_does_not_answer_holds_nobody(server: Scripted) -> None:
    over = threading.Event()

    def silent(_host: str, _port: int) -> list[str]:
        over.wait()
        return ["127.0.0.1"]

    try:
        with pytest.raises(OutboundError, match=r"gave no complete answer within 0\.3 seconds"):
            client.get("https://a.test/", networks=HERE, most_bytes=MOST, seconds=SOON, lookup=silent)
    finally:
        over.set()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (EAI_NONAME, "There is no host called issuer.test."),
        (EAI_AGAIN, "The address of issuer.test cannot be looked up."),
    ],
)
def test_a_name_without_an_address(number: int, sentence: str) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise gaierror(number, "no")

    assert refused(f"https://{HOST}/", unknown) == sentence
    assert (
        refused(f"https://{HOST}/", lambda *_asked: []) == "The address of issuer.test cannot be looked up."
    )


PRIVATE = "The address is private (127.0.0.1); an operator can allow it with ISSUER_NETWORKS."


def test_a_private_address_is_not_connected_to(server: Scripted) -> None:
    assert refused(server.url) == PRIVATE
    assert refused(f"https://{HOST}:{server.port}/") == PRIVATE
    assert not server.asked


@pytest.mark.parametrize("found", [["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"]])
def test_one_private_address_among_several_refuses_the_name(found: list[str]) -> None:
    assert refused(f"https://{HOST}/", lambda *_asked: found) == PRIVATE


def test_a_name_is_looked_up_once_and_that_answer_is_used(server: Scripted) -> None:
    """A name server may give another address the second time: DNS rebinding."""
    server.says["/"] = answer("yes")
    answers = iter([["127.0.0.1"], ["127.0.0.9"]])
    url = f"https://{HOST}:{server.port}/"
    found = client.get(
        url, networks=HERE, most_bytes=MOST, seconds=PATIENCE, lookup=lambda *_asked: next(answers)
    )
    assert found.body == b"yes"
    assert next(answers) == ["127.0.0.9"]


def test_of_two_addresses_that_may_be_asked_one_answers(server: Scripted) -> None:
    server.says["/"] = answer("yes")
    url = f"https://{HOST}:{server.port}/"
    found = client.get(
        url,
        networks=HERE,
        most_bytes=MOST,
        seconds=PATIENCE,
        lookup=lambda *_asked: ["127.0.0.9", "127.0.0.1"],
    )
    assert found.body == b"yes"


def test_a_certificate_of_an_unknown_authority(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = certificates.make(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.authority))
    assert problem(server).startswith(f"The certificate of {HOST} is not valid: ")
    assert not server.asked


def test_a_certificate_of_another_name(server: Scripted) -> None:
    url = f"https://other.test:{server.port}/"
    said = refused(url, networks=HERE)
    assert said.startswith("The certificate of other.test is not valid: Hostname mismatch")
    assert not said.endswith("..")
    assert not server.asked


def test_what_is_closed_or_speaks_no_tls() -> None:
    plain = Scripted()
    try:
        url = f"https://127.0.0.1:{plain.port}/"
        assert refused(url, networks=HERE) == f"127.0.0.1 does not speak TLS on port {plain.port}."
    finally:
        plain.stop()
    assert refused(url, networks=HERE) == f"Nothing answers at 127.0.0.1 on port {plain.port}."


def test_what_breaks_off(server: Scripted) -> None:
    server.says["/cut"], server.says["/drop"] = answer("half", cut=True), answer(drop=True)
    for path in ("/cut", "/drop"):
        assert problem(server, path) == f"{HOST} broke off before its answer was complete."


@pytest.mark.parametrize(
    "status", [b"220 mail.test ESMTP\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\x01\x02\r\n\r\n"]
)
def test_what_speaks_no_http(server: Scripted, status: bytes) -> None:
    def other(request: BaseHTTPRequestHandler) -> object:
        request.wfile.write(status)
        request.wfile.flush()
        request.close_connection = True
        raise OSError

    server.by_request["/"] = other  # type: ignore[assignment]
    assert problem(server) == f"{HOST} gave no valid HTTP answer."


def test_plain_http_only_where_the_caller_and_the_operator_allow_it() -> None:
    plain = Scripted(otherwise=answer("yes"))

    def post(
        networks: Networks, lookup: client.Lookup = here, *, plain_http: bool = True
    ) -> Callable[[], Response]:
        url = f"http://{HOST}:{plain.port}/"
        return lambda: client.post(
            url,
            b"{}",
            networks=networks,
            most_bytes=MOST,
            seconds=PATIENCE,
            plain_http=plain_http,
            lookup=lookup,
        )

    try:
        assert post(HERE)().body == b"yes"
        with pytest.raises(OutboundError, match="must begin with https"):
            post(HERE, plain_http=False)()
        with pytest.raises(OutboundError, match="The address is private"):
            post(NOWHERE)()
        with pytest.raises(OutboundError, match="Without https, only addresses in ISSUER_NETWORKS"):
            post(HERE, lambda *_asked: ["1.1.1.1"])()
        assert refused(plain.url) == "The URL must begin with https://."
    finally:
        plain.stop()


def test_names_are_looked_up_by_the_system() -> None:
    assert "127.0.0.1" in client.system_lookup("127.0.0.1", 443)
