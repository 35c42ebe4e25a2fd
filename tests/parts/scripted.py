"""A server that answers what a test says, on a real socket: slow, broken, lying, or gone."""

import json
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from registry_sync.client import RegistryClient, Timing
from tests.parts import certificates, processes


@dataclass(slots=True)
class Answer:
    """`cut`: break the connection off after the head, before the whole body. `drop`: say nothing at all.

    `stall`: send the head, and nothing more until the script ends. `drip`: and then a byte now and then.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    drop: bool = False
    stall: bool = False
    drip: bool = False


def answer(
    body: object = b"",
    *,
    status: int = 200,
    cut: bool = False,
    drop: bool = False,
    stall: bool = False,
    drip: bool = False,
    **headers: str,
) -> Answer:
    """`body`: bytes or text as they are, anything else as JSON. Headers with `_` for `-`."""
    raw = body if isinstance(body, bytes) else body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, raw.encode() if isinstance(raw, str) else raw, named, cut, drop, stall, drip)


class Posted(NamedTuple):
    """A request; names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of the usual 5 the sixth that comes at once waits 1 to 7 s

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Someone who does not trust our certificate, or hangs up, is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Scripted:
    """`says` maps a path, without its query, to an Answer, or to a function of the request's headers.

    `tls`: it speaks HTTPS with that certificate. Its port stays its own: nobody else answers there once it has stopped.
    """

    def __init__(
        self, port: int = 0, *, otherwise: Answer | None = None, tls: certificates.Files | None = None
    ) -> None:
        self.otherwise = otherwise or Answer(500)
        self.says: dict[str, Answer | Callable[[Any], Answer]] = {}
        self.by_request: dict[str, Callable[[BaseHTTPRequestHandler], Answer]] = {}  # where the query counts
        self.asked: list[str] = []
        self.posted: list[Posted] = []
        self._over = threading.Event()
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body would wait for the head's delayed ACK: 40 ms

            def do_GET(self) -> None:
                script.reply(self)

            def do_DELETE(self) -> None:
                script.reply(self)

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", "0")))
                script.posted.append(Posted(self.path, headers, body))
                script.reply(self)

            def log_message(self, *_words: object) -> None:
                """Silent."""

        self._server = _Server(("127.0.0.1", port or processes.free_port()), Handler)
        self._scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            # The handshake is the handler's: in accept() a silent client would keep all others waiting.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def port(self) -> int:
        return self._server.server_port

    def client(self, **seconds: float) -> RegistryClient:
        """Return a client that waits no longer than a test wants to; `seconds` as in Timing."""
        timing = Timing(**{"jitter": 0.01, "rest": 0.01, "rewrite": 0.01} | seconds)
        return RegistryClient(self.url, lambda *_scope: "token", timing=timing)

    def stop(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer_to(self, request: BaseHTTPRequestHandler) -> Answer:
        path = request.path.split("?")[0]
        if path in self.by_request:
            return self.by_request[path](request)
        says = self.says.get(path, self.otherwise)
        return says if isinstance(says, Answer) else says(request.headers)

    def reply(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        said = self.answer_to(request)
        if said.drop:
            request.close_connection = True
            return
        request.send_response(said.status)
        for name, value in said.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(said.body) + 10 * said.cut + 10**6 * said.drip))
        request.end_headers()
        if said.stall:
            request.wfile.flush()
            self._over.wait()
            request.close_connection = True
            return
        if said.drip:
            with suppress(OSError):
                while not self._over.wait(0.02):
                    request.wfile.write(b" ")
                    request.wfile.flush()
            request.close_connection = True
            return
        if said.status != 304:
            request.wfile.write(said.body)
        request.close_connection = request.close_connection or said.cut
