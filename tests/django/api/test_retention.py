"""/…/namespaces/{ns}/retention/…: rules by the API. What they remove is in ../registry_sync/retention/test_runs.py."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from namespaces.models import Descriptor, Tag
from registry_sync.models import Repository, RetentionRule
from tests import factories
from tests.django.api.caller import error_of, fields_of
from tests.django.api.world import World

HERE = "accounts/team-red/namespaces/red/retention/"


def test_a_rule_is_made_off_and_read_again(world: World) -> None:
    caller = world.caller("manager")
    made = caller.post(HERE, {"image": "app/api", "keep_last": 3, "protect_pattern": "v*"})
    assert made.status_code == 201
    told = made.json()
    assert told == {
        "id": told["id"], "image": "app/api", "enabled": False, "keep_last": 3, "keep_days": None,
        "keep_pulled_days": None, "keep_checked": False, "keep_pattern": "", "protect_pattern": "v*",
    }  # fmt: skip
    assert caller.get(f"{HERE}{told['id']}/").json() == told
    assert told in caller.get(HERE).json()["results"]


def test_a_line_that_is_not_given_stays(world: World) -> None:
    rule = world.rule
    RetentionRule.objects.filter(pk=rule.pk).update(protect_pattern="release-*", enabled=True)
    told = world.caller("owner").patch(f"{HERE}{rule.pk}/", {"keep_last": 9}).json()
    assert (told["keep_last"], told["protect_pattern"], told["enabled"]) == (9, "release-*", False)
    trail = AuditEvent.objects.get(action="retention.changed")
    assert trail.before == {"keep_last": 2, "protect_pattern": "release-*"}
    assert trail.after == {"keep_last": 9, "protect_pattern": "release-*"}
    told = world.caller("owner").patch(f"{HERE}{rule.pk}/", {"protect_pattern": ""}).json()
    assert (told["keep_last"], told["protect_pattern"]) == (9, "")


def test_a_rule_is_never_left_keeping_nothing(world: World) -> None:
    caller = world.caller("owner")
    answer = caller.patch(f"{HERE}{world.rule.pk}/", {"keep_last": None})
    assert answer.status_code == 400
    assert caller.patch(f"{HERE}{world.rule.pk}/", {"keep_last": None, "keep_days": 7}).status_code == 200
    world.rule.refresh_from_db()
    assert (world.rule.keep_last, world.rule.keep_days) == (None, 7)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"image": "Bad//Name", "keep_last": 1}, 400, "image"),
        ({"image": "", "keep_last": 1}, 409, "image"),  # there is one for the namespace
        ({"image": "app/api", "keep_last": 0}, 400, "keep_last"),
        ({"image": "app/api", "keep_last": True}, 400, "keep_last"),
        ({"image": "app/api", "keep_days": "soon"}, 400, "keep_days"),
        ({"image": "app/api", "keep_pattern": "v/*"}, 400, "keep_pattern"),
        ({"image": "app/api", "keep": 1}, 400, "keep"),
    ],
)
def test_what_cannot_be_a_rule(world: World, body: dict[str, object], status: int, field: str) -> None:
    answer = world.caller("owner").post(HERE, body)
    assert answer.status_code == status
    assert list(fields_of(answer)) == [field]
    assert RetentionRule.objects.count() == 1


def test_the_preview_gives_a_reason_for_every_tag(world: World) -> None:
    told = world.caller("viewer").get(f"{HERE}{world.rule.pk}/preview/?image=app/api").json()
    assert told["images"] == ["app/api"]
    assert told["blocked_reason"]  # nothing was ever read: nothing would go
    assert [(each["tag"], each["decision"], each["reason"]) for each in told["tags"]] == [
        ("1.0", "keep", "among the newest 2")
    ]
    absent = world.caller("viewer").get(f"{HERE}{world.rule.pk}/preview/?image=other")
    assert (absent.status_code, error_of(absent)["code"]) == (404, "not_found")


def test_the_preview_says_in_a_few_lines_what_goes_and_why(world: World) -> None:
    image, now = world.tag.image, timezone.now()
    for number in range(4):
        factories.TagFactory(
            image=image, name=f"2.{number}", manifest__size=1000, pushed_at=now - timedelta(days=number)
        )
    tags = image.tags.exclude(name="1.0")
    layer = Descriptor(
        manifest_id=tags.get(name="2.3").manifest_id, digest="sha256:1", kind="layer", size=700
    )
    layer.save()
    tags.filter(name="2.2").update(pulled_at=now - timedelta(days=3))
    image.tags.filter(name="1.0").update(pushed_at=now - timedelta(days=99))
    asked = f"{HERE}{world.rule.pk}/preview/"
    told = world.caller("viewer").get(f"{asked}?image=app/api").json()
    assert (told["kept_tag_count"], told["removed_tag_count"]) == (2, 3)
    gone, kept = told["groups"]
    assert (gone["decision"], gone["reason_code"], gone["version_count"], gone["tag_count"]) == (
        "delete", "nothing_keeps", 3, 3,
    )  # fmt: skip
    assert kept == {
        "decision": "keep", "reason_code": "last", "reason": "among the newest 2",
        "version_count": 2, "tag_count": 2, "size_bytes": 2000,
    }  # fmt: skip
    assert gone["size_bytes"] == 2000 + (Tag.objects.get(image=image, name="1.0").manifest.size or 0)
    assert [(each["version"], each["digest"]) for each in told["removed_though_pulled"]] == [
        ("2.2", image.tags.get(name="2.2").manifest_id)
    ]
    assert told["removed_though_pulled"][0]["last_pulled_at"].endswith("Z")
    assert told["freed_bytes"] == 700
    assert told["uncertain"] is False
    Repository.objects.filter(image=image).update(problem="cannot be read")
    assert world.caller("viewer").get(f"{asked}?image=app/api").json()["uncertain"] is True

    whole = world.caller("viewer").get(asked).json()
    assert (whole["images"], whole["groups"], whole["tags"]) == (["app/api"], [], [])
    assert (whole["removed_tag_count"], whole["freed_bytes"], whole["uncertain"]) == (0, 0, False)


def test_a_rule_is_enabled_by_itself_disabled_and_deleted(world: World) -> None:
    caller, path = world.caller("owner"), f"{HERE}{world.rule.pk}/"
    assert caller.patch(path, {"enabled": True}).json()["enabled"] is True
    both = caller.patch(path, {"enabled": True, "keep_last": 5})
    assert (both.status_code, list(fields_of(both))) == (400, ["enabled"])
    world.rule.refresh_from_db()
    assert (world.rule.enabled, world.rule.keep_last) == (True, 2)
    told = caller.patch(path, {"enabled": False, "keep_last": 5}).json()
    assert (told["enabled"], told["keep_last"]) == (False, 5)
    assert caller.delete(path).status_code == 204
    assert caller.get(path).status_code == 404


def test_an_images_own_rule_stands_instead_of_the_namespaces_also_off(world: World) -> None:
    factories.TagFactory(image__namespace=world.namespace, image__name="web")
    caller = world.caller("owner")
    whole = f"{HERE}{world.rule.pk}/preview/"
    assert caller.get(whole).json()["images"] == ["app/api", "web"]
    own = caller.post(HERE, {"image": "web", "keep_last": 1}).json()
    assert caller.get(whole).json()["images"] == ["app/api"]
    assert caller.get(f"{HERE}{own['id']}/preview/").json()["images"] == ["web"]
