"""An image, and a namespace, deleted with all in it and put back, against real registries of both generations."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.test import Client
from django.utils import timezone

from accounts.common.errors import Conflict
from accounts.models import AuditEvent, Member
from namespaces.models import Image, Namespace, ReservedName, Tag
from registry_sync.client import RegistryClient
from registry_sync.client.responses import MANIFEST_TYPES
from registry_sync.deletion import purge_scope, purge_service, purge_worker, restore
from registry_sync.models import Lease, Purge, Removal, RemovalItem, Repository
from registry_sync.panel_client import PanelTokens
from tests.contract.conftest import bearer, push, push_manifest
from tests.contract.removals import Place, ends, place
from tests.contract.test_removal_interrupted import Dying, _Killed
from tests.parts import images, registries
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

OTHER = images.Image(env=["A=1"])


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


def namespace() -> Namespace:
    return Namespace.objects.select_related("account").get(name="team")


def purge(there: Place, image: Image | None = None) -> Purge:
    owner = namespace()
    told = purge_scope.scope_of(purge_scope.images_of(owner, image)).preview_digest
    name = image.name if image else owner.name
    return purge_service.request_purge(
        by=there.by, namespace=owner, image=image, preview_digest=told, confirmation=name
    )


def work(there: Place, registry: RegistryClient | None = None) -> None:
    """As registry_sync.removals does, three times round."""
    for _round in range(3):
        purge_worker.work_due()
        there.work(registry)


def state(purge: Purge) -> tuple[str, str]:
    purge.refresh_from_db()
    return purge.state, purge.problem


def held(there: Place, repository: str, reference: str) -> str:
    answer = requests.get(
        f"{there.registry.url}/v2/{repository}/manifests/{reference}",
        headers=bearer(repository, "pull") | {"Accept": MANIFEST_TYPES},
        timeout=120,
    )
    return answer.headers["Docker-Content-Digest"] if answer.ok else ""


def rich(there: Place) -> dict[str, str]:
    """Tags, platforms, a signature by tag and one by subject, and an untagged leftover: reference → digest."""
    platforms = images.two_platforms()
    index = push(there.registry, "team/app", "1.0", *platforms)
    push_manifest(there.registry, "team/app", "latest", images.index(platforms))
    plain = push(there.registry, "team/app", "2.0", OTHER)
    stem = index.replace(":", "-")
    signed = push(there.registry, "team/app", f"{stem}.sig", images.Image(labels={"sig": "1"}))
    loose = push(there.registry, "team/app", "moved", images.Image(env=["B=1"]))
    there.sync()
    push(there.registry, "team/app", "moved", OTHER)
    there.sync()
    return {
        "1.0": index,
        "latest": index,
        "2.0": plain,
        "moved": plain,
        f"{stem}.sig": signed,
        loose: loose,
    } | {each.digest: each.digest for each in platforms}


def test_a_whole_image_goes_and_comes_back_as_it_was(there: Place) -> None:
    before = rich(there)
    push(there.registry, "team/other", "1.0", images.Image())
    there.sync()
    asked = purge(there, there.image())
    work(there)
    assert state(asked) == ("done", "")
    assert [there.points_at(reference) for reference in before] == [""] * len(before)
    assert (there.tags(), there.image().tag_count) == ({}, 0)
    assert held(there, "team/other", "1.0")
    there.sync()
    assert there.tags() == {}
    purge_service.restore(by=there.by, purge=asked)
    work(there)
    assert state(asked) == ("restored", "")
    assert {reference: there.points_at(reference) for reference in before} == before
    assert there.tags() == {name: digest for name, digest in before.items() if ":" not in name}
    there.sync()
    deeds = AuditEvent.objects.filter(action__startswith="image.").values_list("action", flat=True)
    assert sorted(deeds) == [
        "image.deleted",
        "image.deletion_asked",
        "image.put_back",
        "image.put_back_asked",
    ]
    assert not AuditEvent.objects.filter(action="manifest.deleted").exists()  # said once
    with pytest.raises(Conflict, match="nothing that can be restored"):
        purge_service.restore(by=there.by, purge=asked)


def test_two_of_three_images_that_were_ticked_go_and_come_back(there: Place) -> None:
    """As somebody does it in the list, and with what the page hands them."""
    before = {
        "team/app": push(there.registry, "team/app", "1.0", *images.two_platforms()),
        "team/deep/other": push(there.registry, "team/deep/other", "1.0", OTHER),
        "team/third": push(there.registry, "team/third", "1.0", OTHER),
    }
    there.sync()
    client = Client()
    client.force_login(Member.objects.get().person)
    here = f"/a/{namespace().account.handle}/images/delete-all/"
    ticked = {"image": ["team/app", "team/deep/other"]}
    told = client.get(here, ticked).context["preview"].preview_digest
    page = client.post(here, ticked | {"preview_digest": told, "confirm": "team"})["Location"]
    work(there)
    asked = Purge.objects.get()
    assert state(asked) == ("done", "")
    assert {each: held(there, each, "1.0") for each in before} == before | dict.fromkeys(ticked["image"], "")
    there.sync()
    assert set(Tag.objects.values_list("image__name", flat=True)) == {"third"}
    assert client.post(f"{page}restore/").status_code == 302
    work(there)
    assert state(asked) == ("restored", "")
    assert {each: held(there, each, "1.0") for each in before} == before
    there.sync()
    assert Tag.objects.count() == 3
    deeds = AuditEvent.objects.filter(object="team/deep/other").order_by("id")
    assert list(deeds.values_list("action", flat=True)) == [
        "image.deletion_asked",
        "image.deleted",
        "image.put_back_asked",
        "image.put_back",
    ]


def test_one_deletion_is_put_back_too_and_takes_no_tag_that_was_pushed_anew(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "latest", images.Image())
    there.sync()
    removal = there.delete("1.0")
    there.work()
    assert there.tags() == {}
    newer = push(there.registry, "team/app", "latest", OTHER)
    there.sync()
    removal.refresh_from_db()
    again = restore.restore_removal(by=there.by, removal=removal)
    assert restore.restore_removal(by=there.by, removal=removal) == again  # a button pressed twice asks once
    there.work()
    assert ends(again) == ("partial", ["done", "tag_moved"])
    assert there.tags() == {"1.0": digest, "latest": newer}


def test_after_garbage_collection_nothing_comes_back_and_that_is_said(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    asked = purge(there, there.image())
    work(there)
    there.registry.stop()
    subprocess.run(
        [registries.binary(there.registry.version), "garbage-collect", there.registry.config],
        check=True,
        capture_output=True,
        env=registries.environment(),
    )
    there.registry.restart()
    purge_service.restore(by=there.by, purge=asked)
    work(there)
    now, problem = state(asked)
    assert now == "partial"
    assert problem == "1 could not be restored: the registry no longer holds all of it."
    assert Removal.objects.latest("id").items.get().outcome == "not_found"
    assert there.points_at("1.0") == ""


def test_what_is_pushed_meanwhile_stays_with_what_it_needs(there: Place) -> None:
    platforms = images.two_platforms()
    push(there.registry, "team/app", "amd64", platforms[0])
    push(there.registry, "team/app", "old", OTHER)
    there.sync()
    asked = purge(there, there.image())
    index = push(there.registry, "team/app", "new", *platforms)
    there.sync()
    work(there)
    now, problem = state(asked)
    assert now == "partial"
    assert "pushed meanwhile" in problem
    assert there.tags() == {"new": index, "amd64": platforms[0].digest}
    assert [there.points_at(each.digest) for each in platforms] == [each.digest for each in platforms]
    assert there.points_at("old") == ""


def test_what_is_pushed_after_it_was_decided_is_seen_by_the_direct_look(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "old", OTHER)
    there.sync()
    asked = purge(there, there.image())
    purge_worker.work_due()
    push(there.registry, "team/app", "new", images.Image())  # neither told of nor read
    work(there)
    assert state(asked) == ("partial", "1 could not be deleted: something else needs it.")
    assert there.points_at("new") == there.points_at("1.0") == digest
    assert there.points_at("old") == ""


def test_a_namespace_is_emptied_and_goes_a_day_later(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/deep/other", "1.0", *images.two_platforms())
    there.sync()
    asked = purge(there)
    work(there)
    assert state(asked) == ("emptied", "")
    assert held(there, "team/app", "1.0") == held(there, "team/deep/other", "1.0") == ""
    purge_worker.work_due()
    assert Namespace.objects.filter(name="team").exists()
    Purge.objects.update(ends_at=timezone.now())
    purge_worker.work_due()
    assert not Namespace.objects.filter(name="team").exists()
    assert ReservedName.objects.get(name="team").account == Member.objects.get().account
    assert AuditEvent.objects.filter(action="namespace.deleted", actor="owner@example.com").exists()


def test_a_namespace_into_which_something_is_pushed_meanwhile_stays(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/other", "1.0", OTHER)
    there.sync()
    asked = purge(there)
    push(there.registry, "team/app", "2.0", images.Image(env=["LATE=1"]))
    there.sync()
    work(there)
    assert state(asked) == ("partial", "Something was pushed into the namespace meanwhile, so it stays.")
    assert asked.ends_at is None
    assert there.tags().keys() == {"2.0"}
    purge_service.restore(by=there.by, purge=asked)
    work(there)
    assert state(asked) == ("restored", "")
    assert there.tags().keys() == {"1.0", "2.0"}


def test_a_namespace_that_was_emptied_is_put_back_and_stays(there: Place) -> None:
    one = push(there.registry, "team/app", "1.0", images.Image())
    two = push(there.registry, "team/deep/other", "1.0", *images.two_platforms())
    there.sync()
    asked = purge(there)
    work(there)
    purge_service.restore(by=there.by, purge=asked)
    work(there)
    assert state(asked) == ("restored", "")
    assert (held(there, "team/app", "1.0"), held(there, "team/deep/other", "1.0")) == (one, two)
    assert asked.ends_at is None


@pytest.mark.parametrize("why", ["pushed", "left the account"])
def test_an_emptied_namespace_stays_where_something_speaks_for_it(there: Place, why: str) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    asked = purge(there)
    work(there)
    if why == "pushed":
        push(there.registry, "team/app", "2.0", images.Image())
        there.sync()
    else:
        Member.objects.all().delete()
    Purge.objects.update(ends_at=timezone.now() - timedelta(minutes=1))
    purge_worker.work_due()
    now, problem = state(asked)
    assert now == "partial"
    assert {"pushed": "pushed into the namespace", "left the account": "may no longer"}[why] in problem


def test_a_worker_killed_at_any_step_is_succeeded_and_the_end_is_the_same(there: Place) -> None:
    """Half of it, both ways: each step is a request to the registry that was the last of a worker."""
    platforms = images.two_platforms()
    for step in range(1, 60, 2):
        index = push(there.registry, "team/app", "1.0", *platforms)
        plain = push(there.registry, "team/app", "2.0", OTHER)
        there.sync()
        asked = purge(there, there.image())
        killed = killed_at(there, step)
        work(there)
        assert state(asked) == ("done", ""), step
        assert there.tags() == {}
        purge_service.restore(by=there.by, purge=asked)
        killed = killed_at(there, step) or killed
        work(there)
        assert state(asked) == ("restored", ""), step
        assert there.tags() == {"1.0": index, "2.0": plain}
        if not killed:
            break
    assert step > 5
    assert not killed


def killed_at(there: Place, step: int) -> bool:
    purge_worker.work_due()
    try:
        there.work(Dying(there.registry.url, step, after=step % 4 == 1))
    except _Killed:
        Lease.objects.update(until=timezone.now())
        return True
    return False


class Counting(RegistryClient):
    """`deleted`: what it was asked to delete."""

    def __init__(self, url: str) -> None:
        super().__init__(url, PanelTokens())
        self.deleted: list[str] = []

    def delete(
        self, repository: str, reference: str, *, before_sending: Callable[[], None] = lambda: None
    ) -> None:
        self.deleted.append(reference)
        super().delete(repository, reference, before_sending=before_sending)


def test_a_registry_that_deletes_nothing_is_asked_once(registry: RunningRegistry, there: Place) -> None:
    for number in range(4):
        push(registry, "team/app", f"{number}.0", images.Image(env=[f"N={number}"]))
    there.sync()
    config = registry.config.read_text()
    registry.config.write_text(config.replace('"enabled": true', '"enabled": false'))
    registry.restart()
    asked = purge(there, there.image())
    client = Counting(registry.url)
    work(there, client)
    assert state(asked) == (
        "failed",
        "4 could not be deleted: deletion is switched off in the registry, or it is a pull-through cache.",
    )
    assert len(client.deleted) == 1
    assert Tag.objects.count() == 4


@pytest.mark.parametrize("what", ["image", "namespace"])
def test_a_manifest_that_the_registry_lost_holds_up_nothing(there: Place, what: str) -> None:
    """It still lists the tag, and answers 404."""
    lost = push(there.registry, "team/app", "lost", OTHER)
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/other", "1.0", images.Image())
    there.sync()
    hexes = lost.partition(":")[2]
    there.registry.stop()
    root = Path(json.loads(there.registry.config.read_text())["storage"]["filesystem"]["rootdirectory"])
    (blob,) = root.glob(f"**/blobs/sha256/{hexes[:2]}/{hexes}/data")
    blob.unlink()
    there.registry.restart()
    assert "lost" in there.client().tags("team/app")
    asked = purge(there, there.image() if what == "image" else None)
    work(there)
    assert state(asked) == ("done" if what == "image" else "emptied", "")
    outcomes = RemovalItem.objects.filter(removal__image__name="app").values_list("digest", "outcome")
    assert dict(outcomes) == {lost: "already_gone", digest: "done"}
    assert there.points_at(digest) == ""
    assert bool(held(there, "team/other", "1.0")) is (what == "image")
    there.sync_anyway()
    assert there.tags() == {}
    assert there.client().tags("team/app") == ["lost"]  # no version deletes such a tag by its digest
    trouble = Repository.objects.get(name="team/app").problem
    assert trouble == "lost could not be read: listed, but not in the registry"
