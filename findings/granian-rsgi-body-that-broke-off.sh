#!/usr/bin/env bash
# Granian 2.8.7's RSGI: a request body that broke off ends like a whole one when it is read in parts.
#
# `async for part in protocol` is how RSGI reads a body without holding all of it. When the client closes its
# connection in the middle of the body, one would expect an error, as `await protocol()` raises
# (RSGIProtocolClosed). The loop just ends: a form with a Content-Length of 10, of which 3 bytes came, looks whole. With
# "Transfer-Encoding: chunked" there is no length to compare with. By ASGI the same server says `http.disconnect`.
#
# Seen with granian 2.8.7, Python 3.11:
#   in parts: [b'abc'] and no error
#   whole: RSGIProtocolClosed
#   asgi: http.request, http.disconnect
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7

cat > seen.py <<'PYTHON'
import pathlib


def note(text):
    with pathlib.Path("seen").open("a") as file:
        file.write(text + "\n")


async def rsgi(scope, protocol):
    if scope.path == "/parts":
        got = [part async for part in protocol]
        note(f"in parts: {[part for part in got if part]} and no error")
    elif scope.path == "/whole":
        try:
            note(f"whole: {await protocol()}")
        except Exception as error:
            note(f"whole: {type(error).__name__}")
    protocol.response_empty(204, [])


async def asgi(scope, receive, send):
    kinds = []
    while scope["path"] == "/asgi" and kinds[-1:] != ["http.disconnect"]:
        message = await receive()
        kinds.append(message["type"])
        if not message.get("more_body"):
            break
    if kinds:
        note(f"asgi: {', '.join(kinds)}")
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
PYTHON

cat > client.py <<'PYTHON'
import pathlib
import socket
import sys
import time

port, path, lines = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for _each in range(200):
    try:
        connection = socket.create_connection(("127.0.0.1", port), 1)
        break
    except OSError:
        time.sleep(0.1)
connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc".encode())
time.sleep(0.5)
connection.close()
seen = pathlib.Path("seen")
for _each in range(100):
    if seen.exists() and len(seen.read_text().splitlines()) >= lines:
        break
    time.sleep(0.1)
PYTHON

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
serve() { venv/bin/granian --interface "$1" --host 127.0.0.1 --port "$port" --no-ws "seen:$1" > "$1.log" 2>&1 & server=$!; }
stop() { kill "$server"; wait "$server" || true; server=; }
serve rsgi
python3 client.py "$port" /parts 1
python3 client.py "$port" /whole 2
stop
serve asgi
python3 client.py "$port" /asgi 3
stop

cat > expected <<'TEXT'
in parts: [b'abc'] and no error
whole: RSGIProtocolClosed
asgi: http.request, http.disconnect
TEXT
cat seen
diff expected seen && echo "as seen before"
