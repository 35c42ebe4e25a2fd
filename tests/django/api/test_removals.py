"""/…/images/{image}/-/history/, deletion-preview/ and removals/"""

import pytest
from django.utils import timezone

from namespaces.models import RepositoryManifest, TagHistoryEntry
from registry_sync.models import Removal, SyncRun
from tests import factories
from tests.django.api.caller import error_of
from tests.django.api.world import World

HERE = "accounts/team-red/namespaces/red/images/app/api/-/"


def asked(**more: object) -> dict[str, object]:
    return {"items": [{"tag": "1.0"}], **more}


def test_the_history_is_told_the_last_first(world: World) -> None:
    for number in range(3):
        TagHistoryEntry.objects.create(
            image=world.tag.image, tag=f"{number}.0", new=factories.digest_of("x"), how="found"
        )
    told = world.caller("viewer").get(f"{HERE}history/").json()["results"]
    assert [move["tag"] for move in told] == ["2.0", "1.0", "0.0"]
    only = world.caller("viewer").get(f"{HERE}history/?tag=1.0").json()["results"]
    assert [move["tag"] for move in only] == ["1.0"]


def test_untag_is_asked_for_and_followed(world: World) -> None:
    caller = world.caller("manager")
    body = asked(kind="untag", items=[{"tag": "1.0", "digest": world.tag.manifest_id}])
    made = caller.post(f"{HERE}removals/", body)
    assert made.status_code == 202
    assert made.json()["state"] == "waiting"
    assert caller.get(f"{HERE}removals/{made.json()['id']}/").json() == made.json()
    assert caller.get(f"{HERE}removals/").json()["results"][0]["id"] == made.json()["id"]


def test_delete_needs_what_was_told_and_the_name(world: World) -> None:
    RepositoryManifest.objects.create(image=world.tag.image, manifest=world.tag.manifest)
    caller = world.caller("owner")
    impact = caller.get(f"{HERE}deletion-preview/?tags=1.0").json()
    assert impact["digests"] == [world.tag.manifest_id]
    body = asked(kind="delete", preview_digest=impact["preview_digest"], confirmation="app/api")
    assert caller.post(f"{HERE}removals/", body | {"confirmation": "api"}).status_code == 400
    assert caller.post(f"{HERE}removals/", body | {"preview_digest": ""}).status_code == 409
    assert caller.post(f"{HERE}removals/", body).status_code == 202
    assert Removal.objects.filter(kind="delete", purge=None).count() == 1


def test_restore(world: World) -> None:
    old = factories.ManifestFactory()
    caller, body = world.caller("owner"), asked(kind="restore", items=[{"tag": "1.0", "digest": old.digest}])
    body["expected_digest"] = world.tag.manifest_id
    assert caller.post(f"{HERE}removals/", body).status_code == 409
    RepositoryManifest.objects.create(image=world.tag.image, manifest=old)
    assert caller.post(f"{HERE}removals/", body | {"expected_digest": ""}).status_code == 409
    assert caller.post(f"{HERE}removals/", body).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "untag", "items": []},
        {"kind": "restore", "items": [{"tag": "1.0"}, {"tag": "2.0"}]},
        {"kind": "wipe", "items": [{"tag": "1.0"}]},
        {"kind": "untag", "items": [{"tag": "1.0", "digest": "", "force": True}]},
        {"kind": "untag"},
    ],
)
def test_bad_bodies_are_refused(world: World, body: dict[str, object]) -> None:
    answer = world.caller("owner").post(f"{HERE}removals/", body)
    assert answer.status_code == 400
    assert error_of(answer)
    assert Removal.objects.filter(purge=None).count() == 1


def test_what_is_not_there_is_absent(world: World) -> None:
    caller = world.caller("owner")
    assert caller.get(f"{HERE}deletion-preview/?tags=9.9").status_code == 404
    assert caller.get(f"{HERE}deletion-preview/?digests={factories.digest_of('x')}").status_code == 404
    assert caller.get(f"{HERE}removals/999999/").status_code == 404


def test_what_cannot_be_read_holds_other_deletions_and_is_named(world: World) -> None:
    image, caller = world.tag.image, world.caller("owner")
    RepositoryManifest.objects.create(image=image, manifest=world.tag.manifest)
    odd = factories.ManifestFactory(kind="unknown", platforms=[])
    RepositoryManifest.objects.create(
        image=image, manifest=factories.TagFactory(image=image, name="odd", manifest=odd).manifest
    )
    sentence = "tagged odd, cannot be read"
    impact = caller.get(f"{HERE}deletion-preview/?tags=1.0").json()
    assert sentence in impact["blocked_reason"]
    assert caller.get(f"{HERE}deletion-preview/?tags=odd").json()["blocked_reason"] == ""
    body = {
        "kind": "delete",
        "items": [{"tag": "1.0"}],
        "preview_digest": impact["preview_digest"],
        "confirmation": "app/api",
    }
    answer = caller.post(f"{HERE}removals/", body)
    assert answer.status_code == 409
    assert sentence in str(error_of(answer))
    preview = f"accounts/team-red/namespaces/red/retention/{world.rule.pk}/preview/?image=app/api"
    SyncRun.objects.create(state="done", started_at=timezone.now(), finished_at=timezone.now())
    assert sentence in caller.get(preview).json()["blocked_reason"]


@pytest.mark.parametrize("kind", ["untag", "delete"])
def test_all_that_match_are_removed_as_they_were_told(world: World, kind: str) -> None:
    image, caller = world.tag.image, world.caller("manager")
    RepositoryManifest.objects.create(image=image, manifest=world.tag.manifest)
    for number in range(120):
        factories.RepositoryManifestFactory(
            image=image, manifest=factories.TagFactory(image=image, name=f"2.{number}").manifest
        )
    impact = caller.get(f"{HERE}deletion-preview/?search=2.").json()
    assert (impact["matching_tag_count"], len(impact["digests"])) == (120, 120)
    body = {
        "kind": kind,
        "search": "2.",
        "preview_digest": impact["preview_digest"],
        "confirmation": "app/api",
    }
    assert world.caller("viewer").post(f"{HERE}removals/", body).status_code == 403
    assert caller.post(f"{HERE}removals/", body | {"items": [{"tag": "1.0"}]}).status_code == 400
    assert caller.post(f"{HERE}removals/", body | {"kind": "restore"}).status_code == 400
    late = factories.TagFactory(image=image, name="2.999")
    assert caller.post(f"{HERE}removals/", body).status_code == 409
    late.delete()
    made = caller.post(f"{HERE}removals/", body)
    assert (made.status_code, len(made.json()["items"])) == (202, 120)
