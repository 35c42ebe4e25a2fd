"""What deletions promise, what waits, and what the garbage collection of real registries frees: the same bytes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.utils import timezone

from namespaces.models import Image, Namespace
from registry_sync.deletion import freed_space, service
from registry_sync.deletion.freed_space import FreedSpace
from registry_sync.inventory import uncollected
from registry_sync.models import Purge, RemovalItem
from registry_sync.tokens.access_list import ResourceActions
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.issuer import signer
from tests.contract.conftest import push, push_blob, push_manifest
from tests.contract.removals import Place, place
from tests.contract.test_purge import purge, rich, state, work
from tests.parts import images, registries
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

ONE = images.Image(env=["ONE=1"])
TWO = images.Image(env=["TWO=1"])


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


def stored(folder: Path) -> int:
    """Bytes of the blobs on the registry's disk."""
    return sum(file.stat().st_size for file in folder.rglob("blobs/*/*/*/data"))


def collect(there: Place, folder: Path) -> int:
    """Return the bytes that a garbage collection frees."""
    before = stored(folder)
    there.registry.stop()
    subprocess.run(
        [registries.binary(there.registry.version), "garbage-collect", there.registry.config],
        check=True,
        capture_output=True,
        env=registries.environment(),
    )
    there.registry.restart()
    return before - stored(folder)


def weight(*blobs: images.Blob) -> int:
    return sum(len(content) for content in {blob.digest: blob.content for blob in blobs}.values())


def layers_of_another_tag(there: Place) -> int:
    push(there.registry, "team/app", "1.0", ONE)
    push(there.registry, "team/app", "2.0", TWO)
    there.sync()
    space = service.preview(there.image(), tags=["1.0"]).space
    there.delete("1.0")
    assert space == FreedSpace(weight(ONE.config, ONE.manifest), weight(*ONE.layer_blobs))
    return space.freed_bytes


def layers_mounted_from_another_image(there: Place) -> int:
    push(there.registry, "team/base", "1.0", ONE)
    for blob in TWO.layer_blobs:
        mount(there, blob.digest, source="team/base", target="team/app")
    push_blob(there.registry, "team/app", TWO.config)
    push_manifest(there.registry, "team/app", "1.0", TWO.manifest)
    there.sync()
    space = service.preview(there.image(), tags=["1.0"]).space
    there.delete("1.0")
    assert space == FreedSpace(weight(TWO.config, TWO.manifest), weight(*TWO.layer_blobs))
    return space.freed_bytes


def mount(there: Place, digest: str, *, source: str, target: str) -> None:
    payload = build_claims(
        issuer=settings.TOKEN_ISSUER, service=settings.TOKEN_SERVICE, subject="tester",
        now=int(timezone.now().timestamp()), expires_in=600, id="test",
        access=[
            ResourceActions(type="repository", name=source, actions=["pull"]),
            ResourceActions(type="repository", name=target, actions=["pull", "push"]),
        ],
    )  # fmt: skip
    mounted = requests.post(
        f"{there.registry.url}/v2/{target}/blobs/uploads/",
        params={"mount": digest, "from": source},
        headers={"Authorization": f"Bearer {signer().sign(payload)}"},
        timeout=120,
    )
    assert mounted.status_code == 201


def an_index_with_a_platform_that_has_a_tag_too(there: Place) -> int:
    platforms = images.two_platforms()
    push(there.registry, "team/app", "1.0", *platforms)
    push(there.registry, "team/app", "amd64", platforms[0])
    there.sync()
    space = service.preview(there.image(), tags=["1.0"]).space
    there.delete("1.0")
    return space.freed_bytes


def an_image_that_was_deleted_and_pushed_again(there: Place) -> int:
    for _time in range(2):
        push(there.registry, "team/app", "1.0", ONE)
        there.sync()
        space = service.preview(there.image(), tags=["1.0"]).space
        there.delete("1.0")
        there.work()
    assert space.freed_bytes == weight(*ONE.blobs)
    return space.freed_bytes


def an_image_with_all_that_is_about_it(there: Place) -> int:
    rich(there)
    signature = images.Image(labels={"about": "1"})
    subject = {"subject": ONE.manifest.descriptor}
    about = images.Blob(
        signature.manifest.media_type, json.dumps(json.loads(signature.manifest.content) | subject).encode()
    )
    push(there.registry, "team/app", "3.0", ONE)
    for blob in (*signature.layer_blobs, signature.config):
        push_blob(there.registry, "team/app", blob)
    push_manifest(there.registry, "team/app", "about", about)
    push(there.registry, "team/other", "1.0", TWO)
    there.sync()
    image = there.image()
    space = freed_space.of_images(image.namespace.account, [image.pk])
    asked = purge(there, image)
    work(there)
    assert state(asked) == ("done", "")
    assert space.staying_bytes == weight(*TWO.layer_blobs)
    return space.freed_bytes


def a_namespace_that_is_deleted_after_a_day(there: Place) -> int:
    push(there.registry, "team/app", "1.0", ONE)
    push(there.registry, "team/other", "1.0", TWO)
    there.sync()
    account = there.image().namespace.account
    space = freed_space.of_images(account, list(Image.objects.values_list("pk", flat=True)))
    asked = purge(there)
    work(there)
    Purge.objects.filter(pk=asked.pk).update(ends_at=timezone.now())
    work(there)
    assert not Namespace.objects.filter(name="team").exists()
    assert space.freed_bytes == weight(*ONE.blobs, *TWO.blobs)
    return space.freed_bytes


@pytest.mark.parametrize(
    "delete",
    [
        layers_of_another_tag,
        layers_mounted_from_another_image,
        an_index_with_a_platform_that_has_a_tag_too,
        an_image_that_was_deleted_and_pushed_again,
        an_image_with_all_that_is_about_it,
        a_namespace_that_is_deleted_after_a_day,
    ],
)
def test_what_is_promised_waits_and_is_freed(
    there: Place, tmp_path: Path, delete: Callable[[Place], int]
) -> None:
    promised = delete(there)
    there.work()
    waiting = uncollected.total()
    assert promised == waiting.size_bytes == sum(blob.size_bytes for blob in uncollected.blobs())
    now = timezone.now()
    assert collect(there, tmp_path) == promised
    uncollected.note_collected(until=now)
    assert uncollected.total().size_bytes == 0
    assert collect(there, tmp_path) == 0


def test_what_removes_a_tag_alone_waits_too(there: Place, tmp_path: Path) -> None:
    push(there.registry, "team/app", "1.0", ONE)
    there.sync()
    there.untag("1.0")
    there.work()
    assert uncollected.total().blobs == (
        2 if RemovalItem.objects.exclude(placeholder_digest="").exists() else 0
    )
    assert collect(there, tmp_path) == uncollected.total().size_bytes
    there.sync()
    assert there.tags() == {}
