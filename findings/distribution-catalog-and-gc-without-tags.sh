#!/usr/bin/env bash
# Distribution: what the catalog lists that has no tag, and how garbage collection ends on it.
#
# An image may be pushed by digest alone (OCI: PUT /v2/NAME/manifests/DIGEST), as tools do with what they attach, and a push
# that was broken off leaves layers and no manifest. One would expect the two generations to agree on what a catalog
# lists, tags/list to answer for what the catalog lists, and `garbage-collect --delete-untagged` to be made for just this.
#
# Seen with Debian's docker-registry 2.8.2+ds1 and Distribution 3.1.1 (built with Go), file storage:
#   2.8.2 catalog: by-digest layers-alone tagged
#   2.8.2 tags/list of by-digest: 404 NAME_UNKNOWN
#   2.8.2 garbage-collect --delete-untagged: exit 1, failed to retrieve tags unknown repository name=by-digest
#   3.1.1 catalog: by-digest tagged
#   3.1.1 tags/list of by-digest: 404 NAME_UNKNOWN
#   3.1.1 garbage-collect --delete-untagged: exit 0
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download docker-registry=2.8.2+ds1-1 > apt.log 2>&1
dpkg-deb --extract docker-registry_*.deb debian
GOBIN=$folder/go CGO_ENABLED=0 go install github.com/distribution/distribution/v3/cmd/registry@v3.1.1 > go.log 2>&1

cat > push.py <<'PYTHON'
import hashlib
import json
import sys
import urllib.error
import urllib.request

base, version = sys.argv[1:]
KIND = "application/vnd.oci.image.manifest.v1+json"


def ask(method, path, body=None, kind="application/octet-stream"):
    url = path if path.startswith("http") else base + path
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()


def blob(name, content):
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    location = ask("POST", f"/v2/{name}/blobs/uploads/", b"")[1]["Location"]
    sign = "&" if "?" in location else "?"
    assert ask("PUT", f"{location}{sign}digest={digest}", content)[0] == 201
    return digest


def manifest(name, reference=None):
    config, layer = b"{}", b"layer"
    document = json.dumps({
        "schemaVersion": 2, "mediaType": KIND,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": blob(name, config), "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": blob(name, layer), "size": 5}],
    }).encode()
    digest = "sha256:" + hashlib.sha256(document).hexdigest()
    assert ask("PUT", f"/v2/{name}/manifests/{reference or digest}", document, KIND)[0] == 201


blob("layers-alone", b"layer")
manifest("by-digest")
manifest("tagged", "latest")
print(version, "catalog:", *sorted(json.loads(ask("GET", "/v2/_catalog")[2])["repositories"]))
status, _headers, body = ask("GET", "/v2/by-digest/tags/list")
print(version, "tags/list of by-digest:", status, json.loads(body)["errors"][0]["code"])
PYTHON

look() { # VERSION BINARY
  local port config="$folder/$1.yml"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  printf 'version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\nhttp: {addr: "127.0.0.1:%s", secret: x}\n' \
    "$folder/data-$1" "$port" > "$config"
  OTEL_TRACES_EXPORTER=none "$2" serve "$config" > "$folder/$1.log" 2>&1 & server=$!
  for _each in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$port/v2/" && break; sleep 0.1; done
  python3 push.py "http://127.0.0.1:$port" "$1"
  kill "$server"; wait "$server" 2>/dev/null || true; server=
  code=0
  OTEL_TRACES_EXPORTER=none "$2" garbage-collect --delete-untagged "$config" > "$folder/gc-$1.log" 2>&1 || code=$?
  said=$(grep -o 'failed to retrieve tags.*' "$folder/gc-$1.log" | head -1)
  echo "$1 garbage-collect --delete-untagged: exit $code${said:+, $said}"
}
{ look 2.8.2 debian/usr/bin/docker-registry; look 3.1.1 go/registry; } > seen
cat seen
diff <(cat <<'TEXT'
2.8.2 catalog: by-digest layers-alone tagged
2.8.2 tags/list of by-digest: 404 NAME_UNKNOWN
2.8.2 garbage-collect --delete-untagged: exit 1, failed to retrieve tags unknown repository name=by-digest
3.1.1 catalog: by-digest tagged
3.1.1 tags/list of by-digest: 404 NAME_UNKNOWN
3.1.1 garbage-collect --delete-untagged: exit 0
TEXT
) seen && echo "as seen before"
