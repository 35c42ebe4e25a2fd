#!/usr/bin/env bash
# Distribution 2.8 on a filesystem: a tag that is pushed again answers 500 meanwhile.
#
# A tag is moved by pushing another manifest under its name. One would expect whoever pulls it at that moment to get the old manifest
# or the new one. 2.8 empties the tag's file before it writes the new digest into it, and answers 500 UNKNOWN to whoever
# comes in between; so does the manifest itself, asked for by its digest, when it is pushed once more. Distribution 3 answers
# with the old one or the new one. How often it happens depends on the disk; that it happens does not.
#
# Seen with Debian's docker-registry 2.8.2+ds1 and Distribution 3.1.2 (built with Go), file storage, a tag that is pushed again
# and again while it is read:
#   2.8.2 by tag: 200, 500 UNKNOWN
#   2.8.2 by digest: 200, 500 UNKNOWN
#   3.1.2 by tag: 200
#   3.1.2 by digest: 200
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download docker-registry=2.8.2+ds1-1 > apt.log 2>&1
dpkg-deb --extract docker-registry_*.deb debian
GOBIN=$folder/go CGO_ENABLED=0 go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2 > go.log 2>&1

cat > move.py <<'PYTHON'
import hashlib
import http.client
import json
import sys
import threading

port, version, pushes = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
KIND = "application/vnd.oci.image.manifest.v1+json"


def ask(client, method, path, body=None, kind=KIND):
    client.request(method, path, body, {"Content-Type": kind, "Accept": KIND})
    answer = client.getresponse()
    return answer.status, answer.headers, answer.read()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def document(config):
    location = ask(pusher, "POST", "/v2/team/app/blobs/uploads/")[1]["Location"].partition(f":{port}")[2]
    sign = "&" if "?" in location else "?"
    put = ask(pusher, "PUT", f"{location}{sign}digest={digest_of(config)}", config, "application/octet-stream")
    assert put[0] == 201, put
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": len(config)}
    return json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": descriptor, "layers": []}).encode()


def read(reference, seen, over):
    client = http.client.HTTPConnection("127.0.0.1", port)
    while not over.is_set():
        status, _headers, body = ask(client, "GET", f"/v2/team/app/manifests/{reference}")
        seen.add(str(status) if status == 200 else f"{status} {json.loads(body)['errors'][0]['code']}")


pusher = http.client.HTTPConnection("127.0.0.1", port)
manifests = [document(b"{}"), document(b"{ }")]
push = lambda number: ask(pusher, "PUT", "/v2/team/app/manifests/latest", manifests[number % 2])
assert {push(0)[0], push(1)[0]} == {201}
seen, over = {"tag": set(), "digest": set()}, threading.Event()
readers = [threading.Thread(target=read, args=("latest", seen["tag"], over)) for _each in range(2)]
readers += [threading.Thread(target=read, args=(digest_of(manifests[0]), seen["digest"], over)) for _each in range(2)]
for reader in readers:
    reader.start()
for number in range(pushes):
    assert push(number)[0] == 201
    if all(len(each) > 1 for each in seen.values()):
        break
over.set()
for reader in readers:
    reader.join()
for name, statuses in seen.items():
    print(version, f"by {name}:", ", ".join(sorted(statuses)))
PYTHON

look() { # VERSION BINARY
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s", secret: x}\n' \
    "$folder/data-$1" "$port" > "$folder/$1.yml"
  OTEL_TRACES_EXPORTER=none "$2" serve "$folder/$1.yml" > "$folder/$1.log" 2>&1 & server=$!
  for _each in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$port/v2/" && break; sleep 0.1; done
  python3 move.py "$port" "$1" 2000
  kill "$server"; wait "$server" 2>/dev/null || true; server=
}
{ look 2.8.2 debian/usr/bin/docker-registry; look 3.1.2 go/registry; } > seen
cat seen
diff <(cat <<'TEXT'
2.8.2 by tag: 200, 500 UNKNOWN
2.8.2 by digest: 200, 500 UNKNOWN
3.1.2 by tag: 200
3.1.2 by digest: 200
TEXT
) seen && echo "as seen before"
