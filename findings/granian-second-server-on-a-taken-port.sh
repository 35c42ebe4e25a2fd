#!/usr/bin/env bash
# Granian 2.8.7: a second server on a port that is taken starts without a word, and gets half of the requests.
#
# One would expect what uvicorn does, and most servers: "address already in use", and an exit code. Granian sets SO_REUSEPORT
# on the socket that it listens on, also with one worker, and has no option against it. So a server that was left over from
# before a deployment, or a second one that was started by mistake, answers beside the new one: with old code, or from another
# database.
#
# Seen with granian 2.8.7 and uvicorn 0.38.0, Python 3.11, Linux: 100 connections, one after the other
#   granian: the second one says it listens; both of them answer
#   uvicorn: the second one ends with 1, address already in use
set -eu
folder=$(mktemp -d)
servers=
trap 'for each in $servers; do kill "$each" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7 uvicorn==0.38.0

cat > named.py <<'PYTHON'
import os


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": os.environ["NAME"].encode()})
PYTHON

cat > ask.py <<'PYTHON'
import sys
import time
import urllib.request

_program, port, *wanted = sys.argv
found = set()
for _each in range(200):
    try:
        found.add(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode())
    except OSError:
        time.sleep(0.1)
    if wanted and found >= set(wanted):
        break
print(*sorted(found))
PYTHON

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

port=$(free_port)
granian() { NAME=$1 venv/bin/granian --interface asginl --host 127.0.0.1 --port "$port" named:app > "$1.log" 2>&1 & servers="$servers $!"; }
granian first
python3 ask.py "$port" first > first.seen
granian second
both=$(python3 ask.py "$port" first second)
grep -q 'Listening at' second.log && said="says it listens" || said="does not listen"
{ [ "$both" = "first second" ] && echo "granian: the second one $said; both of them answer" || echo "granian: the second one $said; $both answers"; } > seen

port=$(free_port)
uvicorn() { NAME=$1 exec venv/bin/uvicorn --lifespan off --host 127.0.0.1 --port "$port" named:app > "$1.log" 2>&1; }
uvicorn third & servers="$servers $!"
python3 ask.py "$port" third > third.seen
(uvicorn fourth) && code=0 || code=$?
grep -q 'address already in use' fourth.log && why="address already in use" || why=$(tail -1 fourth.log)
echo "uvicorn: the second one ends with $code, $why" >> seen

cat > expected <<'TEXT'
granian: the second one says it listens; both of them answer
uvicorn: the second one ends with 1, address already in use
TEXT
cat seen
diff expected seen && echo "as seen before"
