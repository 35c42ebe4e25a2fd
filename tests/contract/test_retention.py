"""A retention rule from its dry run to the registry."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from namespaces.models import Tag
from namespaces.names import is_technical
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.retention import preview, runs, service
from tests.contract.conftest import push
from tests.contract.removals import Place, place
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


def test_what_the_dry_run_said_and_nothing_else_is_gone(there: Place) -> None:
    platforms = images.two_platforms()
    pushed = {
        "new": push(there.registry, "team/app", "new", images.Image()),
        "same-as-new": push(there.registry, "team/app", "same-as-new", images.Image()),  # and pushed long ago
        "old": push(there.registry, "team/app", "old", images.Image(env=["A=1"])),
        "v1-protected": push(there.registry, "team/app", "v1-protected", images.Image(env=["B=1"])),
        "multi": push(there.registry, "team/app", "multi", *platforms),
        "old-multi": push(
            there.registry, "team/app", "old-multi", platforms[0], images.Image(architecture="s390x")
        ),
    }
    there.sync()
    Tag.objects.exclude(name__in=["new", "multi"]).update(pushed_at=timezone.now() - timedelta(days=100))
    rule = RetentionRule.objects.create(
        namespace=there.image().namespace, keep_days=30, protect_pattern="v*", enabled=True
    )
    shown = preview.preview_image(service.rule_of(rule), there.image(), timezone.now())
    assert {each.version.name for each in shown.removed} == {"old", "old-multi"}
    assert {each.digest for each in shown.deletions} == {
        pushed["old"],
        pushed["old-multi"],
        images.Image(architecture="s390x").digest,
    }
    runs.plan_due()
    there.work()
    run = RetentionRun.objects.get()
    assert (run.state, run.kept, run.removed_count, run.problem) == ("done", 4, 2, "")
    left = {tag: there.points_at(tag) for tag in pushed}
    assert left == {
        **{tag: pushed[tag] for tag in ("new", "same-as-new", "v1-protected", "multi")},
        "old": "",
        "old-multi": "",
    }
    assert there.points_at(pushed["new"])
    assert [bool(there.points_at(each.digest)) for each in platforms] == [True, True]
    assert there.points_at(pushed["old"]) == ""
    assert there.points_at(images.Image(architecture="s390x").digest) == ""
    there.sync()
    assert there.tags() == {tag: pushed[tag] for tag in ("new", "same-as-new", "v1-protected", "multi")}
    event = AuditEvent.objects.get(action="retention.ran")
    assert (event.actor, event.after) == ("system (retention rule)", {"tags": "2"})
    assert not AuditEvent.objects.filter(action__in=["tag.removed", "manifest.deleted"]).exists()


def test_three_versions_and_what_tools_made_of_each(there: Place) -> None:
    """As cosign, Konflux, regctl and imgpkg name what they push right after a version."""
    kinds = ("sig", "att", "src", "git", "0123456789abcdef.sbom", "image-locations.imgpkg")
    pushed: dict[str, list[str]] = {}
    for number in ("1.0.0", "1.1.0", "1.2.0"):
        digest = push(there.registry, "team/app", number, images.Image(env=[f"VERSION={number}"]))
        stem = digest.replace(":", "-")
        pushed[number] = [number, *(f"{stem}.{kind}" for kind in kinds)]
        for kind in kinds:
            push(there.registry, "team/app", f"{stem}.{kind}", images.Image(env=[f"{kind}={number}"]))
        push(there.registry, "team/app", f"{stem}.log", images.Image(env=["same=log"]))
    push(there.registry, "team/app", "latest", images.Image(env=["VERSION=1.2.0"]))
    there.sync()
    image = there.image()
    assert (image.tag_count, is_technical(image.latest_tag)) == (4, False)
    for days, number in ((30, "1.0.0"), (20, "1.1.0"), (10, "1.2.0")):
        Tag.objects.filter(name=number).update(pushed_at=timezone.now() - timedelta(days=days))
    RetentionRule.objects.create(namespace=image.namespace, keep_last=2, enabled=True)
    runs.plan_due()
    there.work()
    run = RetentionRun.objects.get()
    assert (run.state, run.kept, run.problem) == ("done", 3, "")
    assert not [tag for tag in pushed["1.0.0"] if there.points_at(tag)]
    assert all(there.points_at(tag) for number in ("1.1.0", "1.2.0") for tag in [*pushed[number], "latest"])
    there.sync()
    logs = [tag for tag in there.tags() if tag.endswith(".log")]
    assert (len(logs), len(there.tags())) == (2, 2 * 7 + 1 + 2)


def test_a_push_between_the_decision_and_the_act_is_kept(there: Place) -> None:
    push(there.registry, "team/app", "old", images.Image())
    push(there.registry, "team/app", "new", images.Image(env=["A=1"]))
    there.sync()
    Tag.objects.filter(name="old").update(pushed_at=timezone.now() - timedelta(days=100))
    RetentionRule.objects.create(namespace=there.image().namespace, keep_days=30, enabled=True)
    runs.plan_due()
    again = push(there.registry, "team/app", "just-now", images.Image())
    there.work()
    run = RetentionRun.objects.get()
    assert (run.state, run.removed_count) == ("failed", 0)
    assert "something else needs it" in run.problem
    assert there.points_at("just-now") == again
    assert there.points_at("old") == again


def test_a_rule_disabled_in_time_removes_nothing(there: Place) -> None:
    digest = push(there.registry, "team/app", "old", images.Image())
    there.sync()
    Tag.objects.update(pushed_at=timezone.now() - timedelta(days=100))
    rule = RetentionRule.objects.create(namespace=there.image().namespace, keep_days=30, enabled=True)
    runs.plan_due()
    service.set_enabled(by=there.by, rule=rule, enabled=False)
    there.work()
    assert there.points_at("old") == digest
    run = RetentionRun.objects.get()
    assert (run.state, run.removed_count) == ("failed", 0)
    assert "the rule was changed or turned off" in run.problem
