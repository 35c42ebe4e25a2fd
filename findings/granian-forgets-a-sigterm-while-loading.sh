#!/usr/bin/env bash
# Granian 2.8.7: a SIGTERM that comes while a worker loads the application is forgotten, and the server goes on serving.
#
# Supervisors end a service by SIGTERM, and may do so while it starts: a second deployment, a `docker stop` in the first
# seconds, a rolling restart. One would expect the server to end at once, or as soon as it has loaded. Granian's worker has
# taken SIGTERM by then, and heeds it only once it serves; the main process has passed it on, and waits for the worker
# without a limit. So the application is loaded to its end and requests are answered, and a second SIGTERM is not heeded
# either: only SIGKILL ends it. `--workers-kill-timeout`, which is off by default, helps.
#
# Seen with granian 2.8.7, Python 3.11: SIGTERM while the application is loaded, then
#   by default: it answers 200, and after a second SIGTERM it answers 200
#   with --workers-kill-timeout 2: it ends
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7

cat > slow.py <<'PYTHON'
import pathlib
import time

pathlib.Path("loading").touch()
while not pathlib.Path("signalled").exists():
    time.sleep(0.05)
time.sleep(1)


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})
PYTHON

cat > ask.py <<'PYTHON'
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request


def until(holds, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False


def answers(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).status == 200
    except OSError:
        return False


def seen(more):
    for name in ("loading", "signalled"):
        pathlib.Path(name).unlink(missing_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["venv/bin/granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), *more, "slow:app"]
    with open("server.log", "a") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        assert until(pathlib.Path("loading").exists, 60)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        pathlib.Path("signalled").touch()
        if until(lambda: server.poll() is not None, 15):
            return "it ends"
        first = "it answers 200" if answers(port) else "it hangs"
        server.send_signal(signal.SIGTERM)
        until(lambda: server.poll() is not None, 15)
        second = "ends" if server.poll() is not None else "answers 200" if answers(port) else "hangs"
        return f"{first}, and after a second SIGTERM it {second}"
    finally:
        try:
            os.killpg(server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        server.wait()


print("by default:", seen([]))
print("with --workers-kill-timeout 2:", seen(["--workers-kill-timeout", "2"]))
PYTHON

python3 ask.py > seen
cat > expected <<'TEXT'
by default: it answers 200, and after a second SIGTERM it answers 200
with --workers-kill-timeout 2: it ends
TEXT
cat seen
diff expected seen && echo "as seen before"
