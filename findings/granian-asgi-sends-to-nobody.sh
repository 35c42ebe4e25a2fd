#!/usr/bin/env bash
# Granian 2.8.7's ASGI: sending to a client that is gone raises nothing.
#
# ASGI (HTTP version 2.4) says that `send` raises an OSError once the client has disconnected, so that a streamed answer
# nobody reads is not made to its end. Granian takes every part, whether the client closed its connection or
# reset it, and whether it asked by GET or by HEAD; only `receive` says http.disconnect. An application that streams has to
# listen for that itself.
#
# Seen with granian 2.8.7, Python 3.11: the client goes after the first bytes, and of 200 parts
#   closed: 200 parts sent, then http.disconnect
#   reset: 200 parts sent, then http.disconnect
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7

cat > stream.py <<'PYTHON'
import asyncio
import pathlib


async def app(scope, receive, send):
    if scope["path"] == "/":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        return await send({"type": "http.response.body"})
    sent, end = 0, ""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while sent < 200:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            sent += 1
            await asyncio.sleep(0.01)
        await receive()
        message = await asyncio.wait_for(receive(), 5)
        end = f"then {message['type']}"
    except OSError as error:
        end = f"then {type(error).__name__}"
    with pathlib.Path("seen").open("a") as file:
        file.write(f"{scope['path'][1:]}: {sent} parts sent, {end}\n")
PYTHON

cat > client.py <<'PYTHON'
import pathlib
import socket
import struct
import sys
import time

port = int(sys.argv[1])
for _each in range(200):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        break
    except OSError:
        time.sleep(0.1)
for number, how in enumerate(("closed", "reset"), 1):
    connection = socket.create_connection(("127.0.0.1", port), 5)
    connection.sendall(f"GET /{how} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    connection.recv(10)
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    seen = pathlib.Path("seen")
    for _each in range(200):
        if seen.exists() and len(seen.read_text().splitlines()) >= number:
            break
        time.sleep(0.1)
PYTHON

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/granian --interface asginl --host 127.0.0.1 --port "$port" --no-ws stream:app > server.log 2>&1 & server=$!
python3 client.py "$port"
cat > expected <<'TEXT'
closed: 200 parts sent, then http.disconnect
reset: 200 parts sent, then http.disconnect
TEXT
cat seen
diff expected seen && echo "as seen before"
