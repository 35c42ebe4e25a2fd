"""An image is deleted in the panel; garbage collection by hand frees what was promised."""

import random
import subprocess

import requests

from tests.parts import registries
from tests.showcase import push
from tests.showcase.installation import REPOSITORY, Installation
from tests.showcase.restore import tags
from tests.showcase.told import demand, say

READ_ONLY = {"REGISTRY_STORAGE_MAINTENANCE_READONLY": "{enabled: true}"}


def show(at: Installation) -> None:
    image = push.push(at, "4.0.0", random.Random(4).randbytes(1_000_000))
    at.until(lambda: tags(at).get("4.0.0") == image.digest, "row of what was pushed")
    delete(at, "4.0.0")
    at.until(lambda: "4.0.0" not in tags(at), "end of the tag")
    for line in at.manage("reclaim").splitlines():
        say(f"| {line}")
    before = size(at)
    at.stop("registry")
    at.start("registry", **READ_ONLY)
    say(f"the registry is read-only; {at.manage('reclaim', '--check').strip()}")
    config = at.data / "registry-config" / "registry.yml"
    command = [str(registries.binary("3.1")), "garbage-collect", str(config)]
    subprocess.run(command, env=registries.environment(), check=True, capture_output=True)
    at.stop("registry")
    at.start("registry")
    for line in at.manage("reclaim", "--verify").splitlines():
        say(f"| {line}")
    freed = before - size(at)
    say(f"the folder of the registry has {freed:,} bytes less")
    demand(freed > 1_000_000, "the deleted image's bytes are free")


def delete(at: Installation, tag: str) -> None:
    """As a person does with the API: look at what it would do, and agree to that."""
    url = f"{at.url}/api/v1/accounts/team/namespaces/{REPOSITORY.replace('/', '/images/')}/-"
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {at.login.api_token}"
    preview = session.get(f"{url}/deletion-preview/", params={"tags": tag}, timeout=60).json()
    body = {
        "kind": "delete",
        "items": [{"tag": tag, "digest": digest} for digest in preview["digests"]],
        "preview_digest": preview["preview_digest"],
        "confirmation": REPOSITORY.partition("/")[2],
    }
    answer = session.post(f"{url}/removals/", json=body, timeout=60)
    demand(answer.ok, f"the API deletes the tag: {answer.status_code} {answer.text[:200]}")


def size(at: Installation) -> int:
    blobs = at.data / "registry" / "docker" / "registry" / "v2" / "blobs"
    return sum(each.stat().st_size for each in blobs.rglob("data"))
