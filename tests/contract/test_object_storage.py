"""Both registries on S3: what is pushed is seen, comes back through the redirect, and goes for good."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from registry_sync.client import RegistryError
from tests.contract.conftest import bearer, configuration, push
from tests.contract.removals import Place, ends, place
from tests.parts import fixtures, images, registries, s3
from tests.parts.fixtures import MakeRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
KEPT, GONE = images.Image(), images.Image(layers=[{"gone": b"soon\n"}])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[s3.RunningStore]:
    fixtures.need("object storage")
    with s3.running(tmp_path) as running:
        yield running


@pytest.fixture(params=registries.VERSIONS)
def there(
    request: pytest.FixtureRequest,
    store: s3.RunningStore,
    make_registry: MakeRegistry,
    tmp_path: Path,
    db: None,
) -> Iterator[Place]:
    config = configuration(tmp_path)
    del config["storage"]["filesystem"]
    config["storage"]["s3"] = store.section
    registry = make_registry(request.param, config, tmp_path)
    yield place(registry)
    registry.stop()


def test_push_pull_sync_delete_and_garbage_collection(there: Place, store: s3.RunningStore) -> None:
    registry, client = there.registry, there.client()
    kept = push(registry, "team/app", "0.1.2", KEPT)
    assert push(registry, "team/app", "0.1.20", KEPT) == kept
    several = push(registry, "team/apple", "latest", *images.two_platforms(env=["A=1"]))
    gone = push(registry, "team/app", "old", GONE)

    there.sync()
    assert there.tags() == {"0.1.2": kept, "0.1.20": kept, "old": gone}
    assert sorted(client.repositories().names) == ["team/app", "team/apple"]
    assert client.tags("team/apple") == ["latest"]

    layer = KEPT.layer_blobs[0]
    blob = f"{registry.url}/v2/team/app/blobs/{layer.digest}"
    led = requests.get(blob, headers=bearer("team/app", "pull"), allow_redirects=False, timeout=120)
    assert (led.status_code, led.headers["Location"].startswith(store.url)) == (307, True)
    assert client.blob("team/app", layer.digest, most=1000) == layer.content

    removal = there.delete("old")
    there.work()
    assert ends(removal) == ("done", ["done"])
    registry.stop()
    command = [registries.binary(registry.version), "garbage-collect", registry.config]
    subprocess.run(command, check=True, capture_output=True, env=registries.environment())
    registry.restart()

    with pytest.raises(RegistryError):
        client.blob("team/app", GONE.layer_blobs[0].digest, most=1000)
    assert client.blob("team/app", layer.digest, most=1000) == layer.content
    assert client.manifest("team/apple", several)
    there.sync()
    assert there.tags() == {"0.1.2": kept, "0.1.20": kept}
    assert push(registry, "team/app", "old", GONE) == gone  # nothing remembers what was collected
    assert client.blob("team/app", GONE.layer_blobs[0].digest, most=1000) == GONE.layer_blobs[0].content
    client.close()
