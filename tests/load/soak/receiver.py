"""Receives webhooks beside the soak: `python -m tests.load.soak.receiver SPEC.json`. One line for each request.

Each seventh is refused after it was heard, unless its id was before: so it comes again, and soon.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

REFUSED_EACH = 7


def serve(spec: dict[str, Any]) -> None:
    lock, numbers, heard = threading.Lock(), count(1), Path(spec["heard"])
    refused = set[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)))
            with lock:
                again = event["id"] in refused
                status = 503 if next(numbers) % REFUSED_EACH == 0 and not again else 204
                refused.update([event["id"]] if status != 204 else [])
                with heard.open("a") as file:
                    file.write(json.dumps({"at": time.time(), "status": status, "event": event}) + "\n")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Silent."""

    ThreadingHTTPServer(("127.0.0.1", spec["port"]), Handler).serve_forever()


if __name__ == "__main__":
    serve(json.loads(Path(sys.argv[1]).read_text()))
