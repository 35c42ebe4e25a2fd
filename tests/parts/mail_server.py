"""A mail server that says what it is told to, and keeps what it is given."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """`answers`: command → what it is answered instead of 250. `greets` False: it takes connections and is silent."""

    port: int = 0
    greets: bool = True
    answers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    mails: list[str] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    kept = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            kept.connections += 1
            if kept.greets:
                self.say("220 here")
            for line in self.rfile:
                word = line.decode().strip().upper().partition(" ")[0]
                answer = kept.answers.get(word, "354 go on" if word == "DATA" else "250 good")
                self.say("221 bye" if word == "QUIT" else answer)
                if word == "DATA" and answer.startswith("354"):
                    kept.mails.append(self.data())
                    self.say("250 taken")
                if word == "QUIT":
                    return

        def data(self) -> str:
            lines = iter(self.rfile.readline, b".\r\n")
            return b"".join(lines).decode()

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
