#!/usr/bin/env bash
# Distribution 3.1.2: `garbage-collect --delete-untagged` deletes the layers of a tagged image of another repository.
#
# The same image of several platforms is in two repositories, under a tag in both. In one of them somebody deletes a
# platform by its digest, which the registry allows (202). The other repository was not touched, so one would expect garbage
# collection to leave it whole, as it does without `--delete-untagged`. With it, the index and the platform's manifest stay,
# and the config and layers are deleted: pulls of the tag fail from then on, and garbage collection ends with 0. (2.8 takes
# every platform for untagged, whatever was deleted elsewhere.)
#
# Seen with Debian's docker-registry 2.8.2+ds1 and Distribution 3.1.2 (built with Go), file storage. What the other
# repository answers for index, platform, config and layer
#   3.1.2 platform kept, garbage-collect --delete-untagged, exit 0: 200 200 200 200
#   3.1.2 platform deleted, garbage-collect, exit 0: 200 200 200 200
#   3.1.2 platform deleted, garbage-collect --delete-untagged, exit 0: 200 200 404 404
#   2.8.2 platform deleted, garbage-collect, exit 0: 200 200 200 200
#   2.8.2 platform kept, garbage-collect --delete-untagged, exit 0: 200 404 404 404
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download docker-registry=2.8.2+ds1-1 > apt.log 2>&1
dpkg-deb --extract docker-registry_*.deb debian
GOBIN=$folder/go CGO_ENABLED=0 go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2 > go.log 2>&1

cat > image.py <<'PYTHON'
import hashlib
import json
import sys
import urllib.error
import urllib.request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG, LAYER = b"{}", b"layer"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def described(media_type, content, **more):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}


PLATFORM = json.dumps({
    "schemaVersion": 2, "mediaType": MANIFEST,
    "config": described("application/vnd.oci.image.config.v1+json", CONFIG),
    "layers": [described("application/vnd.oci.image.layer.v1.tar", LAYER)],
}).encode()
PLATFORMS = json.dumps({
    "schemaVersion": 2, "mediaType": INDEX,
    "manifests": [described(MANIFEST, PLATFORM, platform={"os": "linux", "architecture": "amd64"})],
}).encode()


def ask(base, method, path, body=None, kind="application/octet-stream"):
    url = path if path.startswith("http") else base + path
    headers = {"Content-Type": kind, "Accept": f"{MANIFEST}, {INDEX}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, {}


def push(base, name):
    for content in (CONFIG, LAYER):
        location = ask(base, "POST", f"/v2/{name}/blobs/uploads/", b"")[1]["Location"]
        sign = "&" if "?" in location else "?"
        assert ask(base, "PUT", f"{location}{sign}digest={digest_of(content)}", content)[0] == 201
    assert ask(base, "PUT", f"/v2/{name}/manifests/{digest_of(PLATFORM)}", PLATFORM, MANIFEST)[0] == 201
    assert ask(base, "PUT", f"/v2/{name}/manifests/1.0", PLATFORMS, INDEX)[0] == 201


base, step = sys.argv[1:]
if step == "push":
    push(base, "aaa")
    push(base, "bbb")
elif step == "delete":
    assert ask(base, "DELETE", f"/v2/aaa/manifests/{digest_of(PLATFORM)}")[0] == 202
else:
    paths = ["manifests/1.0", f"manifests/{digest_of(PLATFORM)}", *(f"blobs/{digest_of(each)}" for each in (CONFIG, LAYER))]
    print(f"{step}:", *(ask(base, "GET", f"/v2/bbb/{path}")[0] for path in paths))
PYTHON

collect() { # VERSION BINARY WHAT OPTION: deletes in the first repository, if WHAT says so, and looks at the other
  local data="$folder/$1-$3$4" config="$folder/$1-$3$4.yml" port base
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  base="http://127.0.0.1:$port"
  printf 'version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\nhttp: {addr: "127.0.0.1:%s", secret: x}\n' \
    "$data" "$port" > "$config"
  serve "$2" "$config" "$base"
  python3 image.py "$base" push
  [ "$3" = kept ] || python3 image.py "$base" delete
  stop
  OTEL_TRACES_EXPORTER=none "$2" garbage-collect $4 "$config" > "$data.log" 2>&1 && code=0 || code=$?
  serve "$2" "$config" "$base"
  python3 image.py "$base" "$1 platform $3, garbage-collect${4:+ $4}, exit $code"
  stop
}

serve() { # BINARY CONFIG ADDRESS
  OTEL_TRACES_EXPORTER=none "$1" serve "$2" >> server.log 2>&1 & server=$!
  for _each in $(seq 100); do curl -s -o /dev/null "$3/v2/" && break; sleep 0.1; done
}

stop() { kill "$server"; wait "$server" 2>/dev/null || true; server=; }

{
  collect 3.1.2 go/registry kept --delete-untagged
  collect 3.1.2 go/registry deleted ""
  collect 3.1.2 go/registry deleted --delete-untagged
  collect 2.8.2 debian/usr/bin/docker-registry deleted ""
  collect 2.8.2 debian/usr/bin/docker-registry kept --delete-untagged
} > seen
cat > expected <<'TEXT'
3.1.2 platform kept, garbage-collect --delete-untagged, exit 0: 200 200 200 200
3.1.2 platform deleted, garbage-collect, exit 0: 200 200 200 200
3.1.2 platform deleted, garbage-collect --delete-untagged, exit 0: 200 200 404 404
2.8.2 platform deleted, garbage-collect, exit 0: 200 200 200 200
2.8.2 platform kept, garbage-collect --delete-untagged, exit 0: 200 404 404 404
TEXT
cat seen
diff expected seen && echo "as seen before"
