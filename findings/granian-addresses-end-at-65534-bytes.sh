#!/usr/bin/env bash
# Granian 2.8.7: a request's address ends at 65,534 bytes, whatever `--http1-buffer-size` is.
#
# The buffer option reads as the bound of a request's head: with 400 kB, headers of 200 kB are taken. The address is
# not: its parser counts in 16 bits, so one of 65,535 bytes is refused with 414 before the application sees it. A client of a
# registry that asks one token for all its repositories, by GET, meets that at about a thousand names.
#
# Seen with granian 2.8.7, Python 3.11 and a buffer of 400,000 bytes
#   an address of 65534 bytes: 200
#   an address of 65535 bytes: 414
#   a header of 200000 bytes: 200
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7

cat > taken.py <<'PYTHON'
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})
PYTHON

cat > client.py <<'PYTHON'
import socket
import sys
import time

port = int(sys.argv[1])


def ask(address, header="x"):
    """The status of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\nX-Long: {header}\r\n\r\n".encode())
        return int(connection.recv(100).split()[1])


def ready():
    try:
        return ask("/") == 200
    except OSError:
        return False


deadline = time.monotonic() + 30
while not ready():
    if time.monotonic() > deadline:
        sys.exit("the server did not start")
    time.sleep(0.1)
for length in (65_534, 65_535):
    print(f"an address of {length} bytes: {ask('/?' + 'x' * (length - 2))}")
print(f"a header of 200000 bytes: {ask('/', 'x' * 200_000)}")
PYTHON

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/granian --interface asginl --http 1 --http1-buffer-size 400000 --host 127.0.0.1 --port "$port" --log-level error taken:app &
server=$!
venv/bin/python client.py "$port" > seen
cat seen
cat > expected <<'SEEN'
an address of 65534 bytes: 200
an address of 65535 bytes: 414
a header of 200000 bytes: 200
SEEN
diff expected seen && echo "as it was"
