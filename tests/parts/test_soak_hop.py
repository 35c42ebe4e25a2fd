"""The hop of `make soak` writes down what the panel said, and asks another node where one is not there."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.parts import processes

EVENT = {
    "id": "e1",
    "action": "push",
    "actor": {"name": "ci"},
    "request": {"useragent": "act/7"},
    "target": {"repository": "team/app", "tag": "v1", "digest": "sha256:1"},
}


class Node:
    """Answers what `says` says to a POST; 0: it breaks off."""

    def __init__(self) -> None:
        self.says, self.heard, node = 202, 0, self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                node.heard += 1
                if node.says:
                    self.send_response(node.says)
                    self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Silent."""

        # Of a port that the kernel chose somebody else may be given once it has stopped.
        self.server = ThreadingHTTPServer(("127.0.0.1", processes.free_port()), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def port(self) -> int:
        return self.server.server_port

    def stop(self) -> None:
        if self.thread.is_alive():
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    made = [Node(), Node()]
    yield made
    for node in made:
        node.stop()


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told.jsonl"


@pytest.fixture
def url(nodes: list[Node], told: Path, tmp_path: Path) -> Iterator[str]:
    port, spec = processes.free_port(), tmp_path / "hop.json"
    ports, kept = [node.port for node in nodes], {"told": str(told), "passed": "/dev/null"}
    patience = {"patience": processes.PATIENCE}
    spec.write_text(json.dumps({"port": port, "web": ports, "tokens": ports} | kept | patience))
    command = [sys.executable, "-m", "tests.load.soak.hop", spec]
    hop = processes.start("hop", command, log=tmp_path / "hop.log")
    address = f"http://127.0.0.1:{port}"
    hop.wait_until(lambda: processes.http_answers(f"{address}/healthz"), "answer")
    yield address
    hop.stop()


def bring(url: str) -> int:
    return requests.post(f"{url}/registry/events", json={"events": [EVENT]}, timeout=120).status_code


def lines(told: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.read_text().splitlines()]


def test_what_was_answered_is_written_down(url: str, nodes: list[Node], told: Path) -> None:
    assert bring(url) == 202
    for node in nodes:
        node.says = 503
    assert bring(url) == 503
    (taken, refused) = lines(told)
    assert (taken["status"], refused["status"]) == (202, 503)
    assert (taken["client"], taken["action"], taken["tag"], taken["by"]) == ("act/7", "push", "v1", "ci")
    assert taken["answered"] >= taken["came"]


def test_who_is_gone_is_not_asked(url: str, nodes: list[Node], told: Path) -> None:
    nodes[0].stop()
    assert [bring(url) for _time in range(4)] == [202] * 4
    assert nodes[1].heard >= 4 - nodes[0].heard
    assert {line["status"] for line in lines(told)} == {202}


def test_an_event_that_was_heard_is_not_brought_again(url: str, nodes: list[Node], told: Path) -> None:
    """Whether it was stored nobody knows: the registry is told no, and brings it itself."""
    for node in nodes:
        node.says = 0
    assert bring(url) == 502
    assert sum(node.heard for node in nodes) == 1
    assert [line["status"] for line in lines(told)] == [502]
