"""Garbage collection that an operator runs: refused while the registry takes pushes, and looked at afterwards."""

import json
import subprocess

import pytest

from accounts.models import AuditEvent
from accounts.principal import SYSTEM
from namespaces.models import FormerManifest
from registry_sync import heartbeats
from registry_sync.client import RegistryClient, RegistryError
from registry_sync.inventory import uncollected
from registry_sync.models import Marker, Reclaim
from registry_sync.reclaim import by_hand, storage, writes
from registry_sync.reclaim.walk import walk
from registry_sync.reclaim.writes import Writes
from tests.contract.conftest import delete, push, push_blob
from tests.contract.removals import Place, place
from tests.parts import images, registries
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

ONE = images.Image(layers=({"base": b"base"}, {"one": b"one" * 1000}), labels={"n": "1"})
TWO = images.Image(layers=({"base": b"base"}, {"two": b"two" * 1000}), labels={"n": "2"})


@pytest.fixture
def there(registry: RunningRegistry) -> Place:
    found = place(registry)
    push(registry, "team/app", "1", ONE)
    push(registry, "team/app", "2", TWO)
    push(registry, "team/app", "multi", *images.two_platforms())
    found.sync()
    return found


def read_only(registry: RunningRegistry, *, enabled: bool = True) -> None:
    config = json.loads(registry.config.read_text())
    config["storage"]["maintenance"] = {"readonly": {"enabled": enabled}}
    registry.config.write_text(json.dumps(config))
    registry.restart()


def collect(registry: RunningRegistry) -> None:
    command = [registries.binary(registry.version), "garbage-collect", registry.config]
    subprocess.run(command, env=registries.environment(), check=True, capture_output=True)


def stored(registry: RunningRegistry) -> int:
    return storage.total_bytes(registry.config.parent / "data")


def test_checked_collected_and_verified(there: Place) -> None:
    client, said = there.client(), list[str]()
    assert by_hand.plan(said.append)
    assert "registry garbage-collect" in "\n".join(said)
    there.delete("1")
    assert not by_hand.check(client, said.append, by=SYSTEM)
    assert "are under way in team/app. Run it again" in said[-2]
    assert by_hand.ACCEPTS in said[-1]
    there.work()
    there.sync()
    assert not by_hand.verify(client, said.append, lambda: None, by=SYSTEM)
    assert said[-1] == by_hand.UNCHECKED

    read_only(there.registry)
    before, promised = stored(there.registry), uncollected.total().size_bytes
    assert by_hand.check(client, said.append, by=SYSTEM), said
    assert heartbeats.last(Marker.COLLECTING)
    collect(there.registry)
    assert before - stored(there.registry) == promised
    read_only(there.registry, enabled=False)
    assert by_hand.verify(client, said.append, lambda: None, by=SYSTEM), said
    row = Reclaim.objects.get()
    assert (row.state, row.promised_bytes, row.freed_bytes, row.missing) == ("done", promised, promised, 0)
    assert uncollected.total().size_bytes == 0
    assert not heartbeats.last(Marker.COLLECTING)


def checked(there: Place) -> tuple[RegistryClient, list[str]]:
    """An image was deleted, and garbage may be collected now."""
    client, said = there.client(), list[str]()
    there.delete("1")
    there.work()
    there.sync()
    read_only(there.registry)
    assert by_hand.check(client, said.append, by=SYSTEM)
    return client, said


def test_without_a_collection_or_a_restart_it_is_not_well(there: Place) -> None:
    client, said = checked(there)
    assert not by_hand.verify(client, said.append, lambda: None, by=SYSTEM)
    assert "2 blobs that nothing needs are still served." in said[-2]  # its config, and the layer of its own
    assert said[-1] == "The registry is still read-only: nobody can push."
    assert uncollected.total().blobs == 3

    read_only(there.registry, enabled=False)
    assert not by_hand.verify(client, said.append, lambda: None, by=SYSTEM)  # nor when it is looked at again
    assert "2 blobs that nothing needs are still served." in said[-1]
    assert uncollected.total().blobs == 3

    there.registry.stop()
    collect(there.registry)
    there.registry.restart()
    assert by_hand.verify(client, said.append, lambda: None, by=SYSTEM), said
    row = Reclaim.objects.get()
    assert row.freed_bytes == row.promised_bytes > 0
    assert uncollected.total().blobs == 0
    assert by_hand.verify(client, said.append, lambda: None, by=SYSTEM)
    row.refresh_from_db()
    assert row.freed_bytes == row.promised_bytes


def test_what_was_deleted_since_is_not_what_was_promised(there: Place) -> None:
    client, said = checked(there)
    collect(there.registry)
    read_only(there.registry, enabled=False)
    there.delete("2")
    there.work()
    waiting = uncollected.total()
    assert by_hand.verify(client, said.append, lambda: None, by=SYSTEM), said
    row = Reclaim.objects.get()
    assert row.freed_bytes == row.promised_bytes > 0
    # With the layer that both had, which the second kept at the time; less what the first one had alone.
    assert uncollected.total().size_bytes == waiting.size_bytes - row.promised_bytes
    assert uncollected.total().blobs == 4


def test_a_registry_that_is_away_after_a_collection_is_asked_again(there: Place) -> None:
    client, said = checked(there)
    collect(there.registry)
    there.registry.stop()
    assert not by_hand.verify(client, said.append, lambda: None, by=SYSTEM)
    assert "Whether what was deleted is gone, the registry does not say" in said[-2]
    row = Reclaim.objects.get()
    assert row.freed_bytes is None
    assert row.problem
    assert AuditEvent.objects.get(action="registry.collected").object.startswith(
        "freed an unknown number of "
    )
    assert uncollected.total().blobs == 3
    read_only(there.registry, enabled=False)
    assert by_hand.verify(client, said.append, lambda: None, by=SYSTEM), said
    row.refresh_from_db()
    assert (row.freed_bytes, row.problem) == (row.promised_bytes, "")


def test_what_is_missing_is_named(there: Place) -> None:
    there.sync()
    layer = ONE.layer_blobs[1].digest
    value = layer.partition(":")[2]
    (there.registry.config.parent / f"data/docker/registry/v2/blobs/sha256/{value[:2]}/{value}/data").unlink()
    delete(there.registry, "team/app", TWO.digest)  # behind our back
    there.registry.restart()
    found = walk(there.client())
    assert found.named == [f"team/app@{TWO.digest}", f"team/app@{layer}"]
    assert (found.missing, found.unanswered) == (2, 0)


def test_what_a_deleted_namespace_left_is_asked_for_too(there: Place) -> None:
    before = walk(there.client()).asked
    FormerManifest.objects.create(account_id=1, repository="team/app", manifest_id=ONE.digest)
    assert walk(there.client()).asked == before + 4  # a manifest, a config, two layers


def test_a_registry_that_is_away_is_not_missing_anything(there: Place) -> None:
    there.registry.stop()
    client = there.client()
    found = walk(client)
    assert found.missing == 0
    assert found.unanswered == found.asked > 0
    assert writes.ask(client) is Writes.UNKNOWN
    with pytest.raises(RegistryError):
        client.holds("team/app", "blobs", ONE.digest)


def test_whether_pushes_are_taken_is_asked_without_leaving_anything(registry: RunningRegistry) -> None:
    client = place(registry).client()
    assert writes.ask(client) is Writes.TAKEN
    push_blob(registry, "team/app", ONE.config)
    listed = client.repositories()
    assert "registry-manager/doctor" not in listed.names
    read_only(registry)
    assert writes.ask(client) is Writes.REFUSED
