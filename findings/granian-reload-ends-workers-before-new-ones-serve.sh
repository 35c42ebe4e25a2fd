#!/usr/bin/env bash
# Granian 2.8.7: on SIGHUP the old workers are ended after a fixed pause, whether or not the new ones serve by then.
#
# SIGHUP replaces the workers one by one, and one would expect an old one to end once its successor serves, as servers
# promise of a graceful reload. Granian starts the successor, waits for `--respawn-interval` (3.5 seconds by default) and
# ends the old worker without asking. An application that takes longer to load, or a machine that is busy, has nobody who
# answers for a while: connections are accepted by the kernel and wait. The option must be longer than the slowest start.
#
# Seen with granian 2.8.7, Python 3.11, two workers, an application that loads for 12 seconds after the first start:
#   by default: nobody answers for a while (each request is given a second)
#   with --respawn-interval 20: every request is answered
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7

cat > slow.py <<'PYTHON'
import pathlib
import time

if pathlib.Path("started").exists():
    time.sleep(12)


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
PYTHON

cat > ask.py <<'PYTHON'
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]


def answers():
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


started = pathlib.Path("started")
started.unlink(missing_ok=True)
command = ["venv/bin/granian", "--interface", "asginl", "--port", str(port), "--workers", "2", *sys.argv[1:], "slow:app"]
server = subprocess.Popen(
    command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
)
try:
    while not answers():
        time.sleep(0.1)
    started.touch()
    server.send_signal(signal.SIGHUP)
    end = time.monotonic() + 16
    seen = []
    while time.monotonic() < end:
        seen.append(answers())
        time.sleep(0.1)
    print("every request is answered" if all(seen) else "nobody answers for a while")
finally:
    os.killpg(server.pid, signal.SIGKILL)  # its workers would outlive it
    server.wait()
PYTHON

{
  echo "by default: $(venv/bin/python ask.py)"
  echo "with --respawn-interval 20: $(venv/bin/python ask.py --respawn-interval 20)"
} | tee seen

diff seen - <<'SEEN'
by default: nobody answers for a while
with --respawn-interval 20: every request is answered
SEEN
echo "as seen before"
