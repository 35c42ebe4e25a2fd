#!/usr/bin/env bash
# Caddy 2.10.2 and 2.11.9: an update of the proxy ends pulls that need a long token.
#
# A registry token names each repository that was asked for. A push that may mount layers, or a client that lists what it will
# pull, gets tokens of tens of kilobytes, and sends them in every request's Authorization header. Behind a Caddyfile with
# nothing but `reverse_proxy`, Caddy 2.10 passes on almost a megabyte of headers. Caddy 2.11 answers 431 from about 20 kB on,
# by the same file, and the registry never hears of the request: one would expect a minor version to keep what it let through.
# `servers { max_header_size 1MB }` in the file brings it back, and 2.10 takes that line too.
#
# What each answers to a token of so many bytes, without and with the line
#   2.10.2 plain: 4000 200, 15000 200, 25000 200, 160000 200, 900000 200
#   2.10.2 with max_header_size 1MB: 4000 200, 15000 200, 25000 200, 160000 200, 900000 200
#   2.11.9 plain: 4000 200, 15000 200, 25000 431, 160000 431, 900000 431
#   2.11.9 with max_header_size 1MB: 4000 200, 15000 200, 25000 200, 160000 200, 900000 200
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 2.10.2 2.11.9; do
  GOBIN=$folder/$version CGO_ENABLED=0 go install "github.com/caddyserver/caddy/v2/cmd/caddy@v$version" > go.log 2>&1
done

cat > ask.py <<'PYTHON'
import http.client
import os
import socket
import subprocess
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

http.client._MAXLINE = 2_000_000  # the upstream here would refuse lines that a registry takes
SIZES = (4000, 15000, 25000, 160000, 900000)
LINE = "servers {\n max_header_size 1MB\n}\n"


class Registry(BaseHTTPRequestHandler):
    """Takes any token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def status(port, size):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/v2/", headers={"Authorization": "Bearer " + "x" * size})
        return str(connection.getresponse().status)
    finally:
        connection.close()


upstream = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=upstream.serve_forever, daemon=True).start()
for version in ("2.10.2", "2.11.9"):
    for name, line in (("plain", ""), ("with max_header_size 1MB", LINE)):
        port = free_port()
        file = Path("Caddyfile")
        file.write_text(
            "{\nadmin off\nauto_https off\n" + line + "}\n"
            f"http://127.0.0.1:{port} {{\n reverse_proxy 127.0.0.1:{upstream.server_port}\n}}\n"
        )
        home = dict(os.environ, HOME=os.getcwd(), XDG_DATA_HOME=os.getcwd(), XDG_CONFIG_HOME=os.getcwd())
        command = [f"{version}/caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        with open(f"{version}.log", "ab") as log:
            caddy = subprocess.Popen(command, stdout=log, stderr=log, env=home)
        try:
            for _try in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            found = ", ".join(f"{size} {status(port, size)}" for size in SIZES)
            print(f"{version} {name}: {found}")
        finally:
            caddy.terminate()
            caddy.wait()
PYTHON
python3 ask.py > found.txt
cat found.txt
cat > seen.txt <<'SEEN'
2.10.2 plain: 4000 200, 15000 200, 25000 200, 160000 200, 900000 200
2.10.2 with max_header_size 1MB: 4000 200, 15000 200, 25000 200, 160000 200, 900000 200
2.11.9 plain: 4000 200, 15000 200, 25000 431, 160000 431, 900000 431
2.11.9 with max_header_size 1MB: 4000 200, 15000 200, 25000 200, 160000 200, 900000 200
SEEN
diff seen.txt found.txt
echo "as seen before"
