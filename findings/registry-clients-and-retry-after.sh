#!/usr/bin/env bash
# crane 0.22.1, oras 1.3.6, regctl 0.11.7, skopeo 1.9.3: Retry-After of the token server is not heeded.
#
# A token server that is busy for a moment answers 503, or 429, with `Retry-After: 20`. One would expect its clients to come
# back after those seconds, as HTTP asks, or to show what the answer says. None waits so long. skopeo and regctl give up at
# once, and regctl says "unauthorized", which neither status means. crane and oras ask again by a clock of their own, and
# end before the 20 s are over. Whatever will be right in a moment must be right before the token server answers.
#
# "Asked" is how often the token server was asked by one command that only reads, and in which time.
#
# Seen with clients built by Go 1.26, and Debian's skopeo 1.9.3
#   503 crane: asked 6 times for less than 10 s, shows the sentence
#   503 oras: asked 6 times for less than 10 s, shows the sentence
#   503 regctl: asked once for less than 1 s, says "unauthorized"
#   503 skopeo: asked once for less than 1 s, says "503"
#   429 crane: asked 6 times for less than 10 s, shows the sentence
#   429 oras: asked 6 times for less than 20 s, shows the sentence
#   429 regctl: asked once for less than 1 s, says "unauthorized"
#   429 skopeo: asked once for less than 1 s, says "too many requests"
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir home
apt-get download skopeo=1.9.3+ds1-1+b2 > apt.log 2>&1 || apt-get download skopeo > apt.log 2>&1
dpkg-deb --extract skopeo_*.deb debian
for module in github.com/google/go-containerregistry/cmd/crane@v0.22.1 oras.land/oras/cmd/oras@v1.3.6 github.com/regclient/regclient/cmd/regctl@v0.11.7; do
  GOBIN=$folder/go CGO_ENABLED=0 go install "$module" > go.log 2>&1
done

cat > ask.py <<'PYTHON'
import json
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SENTENCE = "busy until the moon is up"
asked, status = [], [503]


class Registry(BaseHTTPRequestHandler):
    """Everything wants a token, and nobody gets one."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = self.path.startswith("/token")
        if token:
            asked.append(time.monotonic())
        self.send_response(status[0] if token else 401)
        if token:
            self.send_header("Retry-After", "20")
        else:
            self.send_header("WWW-Authenticate", f'Bearer realm="http://{host}/token",service="all",scope="repository:a/b:pull"')
        body = json.dumps({"errors": [{"code": "DENIED", "message": SENTENCE if token else "sign in"}]}).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET

    def log_message(self, *words):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *words):
        """A client that hangs up is no error."""


server = Server(("127.0.0.1", 0), Registry)
host = f"localhost:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()
home = os.path.abspath("home")
environment = {"PATH": os.environ["PATH"], "HOME": home, "DOCKER_CONFIG": home, "REGCTL_CONFIG": f"{home}/regctl.json"}
CLIENTS = {
    "crane": ["go/crane", "digest", f"{host}/a/b:1", "--insecure"],
    "oras": ["go/oras", "resolve", "--plain-http", f"{host}/a/b:1"],
    "regctl": ["go/regctl", "manifest", "head", f"{host}/a/b:1"],
    "skopeo": ["debian/usr/bin/skopeo", "inspect", "--tls-verify=false", f"docker://{host}/a/b:1"],
}
subprocess.run(["go/regctl", "registry", "set", "--skip-check", "--tls=disabled", host], env=environment, check=True)


def said(text):
    if SENTENCE in text:
        return "shows the sentence"
    words = [word for word in ("too many requests", "unauthorized", "503") if word in text.lower()]
    return f'says "{words[0]}"' if words else text


for status[0] in (503, 429):
    for name, command in CLIENTS.items():
        asked.clear()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode != 0
        times = "once" if len(asked) == 1 else f"{len(asked)} times"
        lasted = asked[-1] - asked[0]
        within = next(most for most in (1, 10, 20, 10**9) if lasted < most)
        print(f"{status[0]} {name}: asked {times} for less than {within} s, {said(done.stdout + done.stderr)}")
PYTHON

python3 ask.py > seen
cat seen
cat > expected <<'SEEN'
503 crane: asked 6 times for less than 10 s, shows the sentence
503 oras: asked 6 times for less than 10 s, shows the sentence
503 regctl: asked once for less than 1 s, says "unauthorized"
503 skopeo: asked once for less than 1 s, says "503"
429 crane: asked 6 times for less than 10 s, shows the sentence
429 oras: asked 6 times for less than 20 s, shows the sentence
429 regctl: asked once for less than 1 s, says "unauthorized"
429 skopeo: asked once for less than 1 s, says "too many requests"
SEEN
diff expected seen && echo "as seen before"
