"""The benchmark's clock: no question is left out because the server was slow to answer the one before."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from tests.load.paced import Ask, Loop, whole
from tests.parts import processes

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers the first `answers` questions, and no more. `then` is called when it heard one."""

    def __init__(self) -> None:
        self.answers, self.said = 0, ANSWER
        self.then: Callable[[], object] = lambda: None
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        connection, _address = self.listening.accept()
        with (
            connection,
            suppress(ConnectionError),
        ):  # who does not wait for the last answer may close before it
            while asked := connection.recv(65_536):
                self.then()
                for _question in range(asked.count(b"\r\n\r\n")):
                    self.answers -= 1
                    if self.answers >= 0:
                        connection.sendall(self.said)

    def stop(self) -> None:
        self.thread.join()
        self.listening.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def asked(server: Server, *, patience: float = processes.PATIENCE, **fields: Any) -> Ask:
    """Twenty questions in a tenth of a second, on one connection; the first of them is asked, however late it is."""
    request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ask = Ask(name="", port=server.port, requests=[request], connections=1, every=0.005, **fields)
    loop = Loop([ask], 0.0975, selectors.SelectSelector(), processes.PATIENCE)

    def heard() -> None:
        loop.patience = patience

    server.then = heard
    loop.run()
    loop.close()
    return ask


def test_each_question_is_asked_and_counted(server: Server) -> None:
    server.answers = 20
    said = asked(server).summary(0.1)
    assert (said["asked"], said["failed"], said["open99"]) == (20, 0, False)
    assert 0 < said["p50"] <= said["p99"]


def test_a_server_that_stops_has_no_fewer_slow_answers(server: Server) -> None:
    """What could not even be asked waits since it was due."""
    server.answers = 5
    ask = asked(server, patience=0.01)
    never_asked = ask.waited[1:]
    assert ask.summary(0.1)["asked"] == 20
    assert len(never_asked) >= 14
    assert [one - next_one for one, next_one in pairwise(never_asked)] == pytest.approx(
        [0.005] * (len(never_asked) - 1)
    )


def test_who_waits_for_an_answer_asks_once(server: Server) -> None:
    assert asked(server, patience=0.01, patient=True).summary(0.1)["asked"] == 1


def test_another_status_has_failed(server: Server) -> None:
    server.answers, server.said = 20, ANSWER.replace(b"200 OK", b"503 Service Unavailable")
    assert asked(server).summary(0.1)["failed"] == 20


def test_an_answer_is_whole() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    for answer in (ANSWER, chunked):
        assert whole(answer) == 200
        assert [whole(answer[:end]) for end in range(len(answer))] == [0] * len(answer)
    assert whole(b"HTTP/1.1 204 No Content\r\n\r\n") == 204
