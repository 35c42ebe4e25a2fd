"""A retention rule from its dry run to the registry."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from namespaces.models import Tag
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.removal import forecast, rules, runs
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
        "same-as-new": push(there.registry, "team/app", "same-as-new", images.Image()),
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
    shown = forecast.of(rules.pure(rule), there.image(), timezone.now())
    assert {each.version.name for each in shown.gone} == {"old", "same-as-new", "old-multi"}
    assert {each.digest for each in shown.deleted} == {
        pushed["old"], pushed["old-multi"], images.Image(architecture="s390x").digest,
    }  # fmt: skip
    runs.plan_due()
    there.work()
    run = RetentionRun.objects.get()
    assert (run.state, run.kept, run.removed_count, run.problem) == ("done", 3, 3, "")
    left = {tag: there.points_at(tag) for tag in pushed}
    assert left == {
        **{tag: pushed[tag] for tag in ("new", "v1-protected", "multi")}, "same-as-new": "", "old": "", "old-multi": "",
    }  # fmt: skip
    assert there.points_at(pushed["new"])
    assert [bool(there.points_at(each.digest)) for each in platforms] == [True, True]
    assert there.points_at(pushed["old"]) == ""
    assert there.points_at(images.Image(architecture="s390x").digest) == ""
    there.sync()
    assert there.tags() == {tag: pushed[tag] for tag in ("new", "v1-protected", "multi")}
    event = AuditEvent.objects.get(action="retention.ran")
    assert (event.actor, event.after) == ("system (retention rule)", {"tags": "3"})
    assert not AuditEvent.objects.filter(action__in=["tag.removed", "manifest.deleted"]).exists()


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


def test_a_rule_switched_off_in_time_removes_nothing(there: Place) -> None:
    digest = push(there.registry, "team/app", "old", images.Image())
    there.sync()
    Tag.objects.update(pushed_at=timezone.now() - timedelta(days=100))
    rule = RetentionRule.objects.create(namespace=there.image().namespace, keep_days=30, enabled=True)
    runs.plan_due()
    rules.switch(by=there.by, rule=rule, on=False)
    there.work()
    assert there.points_at("old") == digest
    run = RetentionRun.objects.get()
    assert (run.state, run.removed_count) == ("failed", 0)
    assert "the rule was changed or switched off" in run.problem
