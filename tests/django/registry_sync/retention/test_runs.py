"""When a rule runs, when it does not, and what it asks for."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.common.errors import Conflict
from accounts.models import Account, AuditEvent
from accounts.services import suspension
from namespaces.models import (
    NEVER,
    Descriptor,
    Image,
    Manifest,
    PullStats,
    RepositoryManifest,
    TagHistoryEntry,
)
from registry_sync import heartbeats, tasks
from registry_sync.deletion.worker import finish_removal
from registry_sync.models import (
    Event,
    Lease,
    Marker,
    Removal,
    RemovalItem,
    Repository,
    RetentionRule,
    RetentionRun,
    SyncRun,
)
from registry_sync.operations import account_service
from registry_sync.retention import preview, run_result, runs, service
from registry_sync.retention.policy import Reason, Rule
from tests import factories, statements
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(cast: Cast) -> Image:
    SyncRun.objects.create(state="done", started_at=timezone.now(), finished_at=timezone.now())
    return make_image(cast, "app")


def make_image(cast: Cast, name: str) -> Image:
    namespace = factories.NamespaceFactory._meta.model.objects.filter(name="team").first()
    made: Image = factories.ImageFactory(
        namespace=namespace or factories.NamespaceFactory(account=cast.account, name="team"), name=name
    )
    Repository.objects.create(name=made.repository, image=made)
    for age in (1, 100):
        tagged(made, f"{age}d", age)
    return made


def tagged(image: Image, name: str, age: float, manifest: Manifest | None = None) -> Manifest:
    tag = factories.TagFactory(
        image=image,
        name=name,
        pushed_at=timezone.now() - timedelta(days=age),
        first_seen_at=timezone.now() - timedelta(days=500),
        **({"manifest": manifest} if manifest else {}),
    )
    RepositoryManifest.objects.get_or_create(image=image, manifest=tag.manifest)
    return tag.manifest  # type: ignore[no-any-return]


def rule(image: Image, **more: Any) -> RetentionRule:
    return RetentionRule.objects.create(
        namespace=image.namespace, **({"keep_days": 30, "enabled": True} | more)
    )


def asked() -> list[tuple[str, str, str]]:
    return sorted(RemovalItem.objects.values_list("removal__kind", "removal__image__name", "tag"))


def last() -> RetentionRun:
    found = RetentionRun.objects.first()
    assert found
    return found


def test_what_nothing_keeps_is_asked_for(image: Image) -> None:
    rule(image)
    runs.plan_due()
    assert asked() == [("delete", "app", "")]
    removal = Removal.objects.get()
    assert (removal.requested_by, removal.requested_by_id) == ("system (retention rule)", None)
    assert removal.items.get().confirmed_dependents["tags"] == ["100d"]
    assert (last().state, last().kept, last().requested_by) == ("running", 1, "schedule")
    runs.plan_due()
    assert RetentionRun.objects.count() == 1
    assert Removal.objects.count() == 1


def test_a_rule_that_is_off_or_without_anything_to_remove(image: Image) -> None:
    off = rule(image, enabled=False)
    runs.plan_due()
    assert not RetentionRun.objects.exists()
    RetentionRule.objects.filter(pk=off.pk).update(enabled=True, keep_days=200)
    runs.plan_due()
    assert (last().state, last().kept, last().removed_count) == ("done", 2, 0)
    assert not Removal.objects.exists()


def test_the_lease_is_kept_while_one_image_takes_long(image: Image, settings: Any) -> None:
    settings.LEASE_PACE, kept = 0, list[bool]()
    rule(image)

    def is_over() -> None:
        Lease.objects.update(until=timezone.now())

    def is_kept() -> None:
        kept.append(Lease.objects.get().until > timezone.now())

    with statements.before('FROM "namespaces_descriptor"', is_over, is_kept):
        runs.plan_due()
    assert kept == [True]


def test_an_images_own_rule_stands_instead_even_when_it_is_off(cast: Cast, image: Image) -> None:
    make_image(cast, "web")
    rule(image)
    own = rule(image, image_name="app", enabled=False)
    runs.plan_due()
    assert asked() == [("delete", "web", "")]
    own.delete()
    RetentionRun.objects.all().delete()
    runs.plan_due()
    assert asked() == [("delete", "app", ""), ("delete", "web", "")]


def test_a_kept_digest_keeps_all_its_tags_and_a_platform_is_only_untagged(image: Image) -> None:
    new = tagged(image, "new", 1)
    tagged(image, "same", 100, new)
    child = tagged(image, "amd64", 100)
    index = tagged(image, "multi", 1, factories.ManifestFactory(kind="index"))
    Descriptor.objects.create(manifest=index, digest=child.digest, kind="manifest")
    rule(image)
    runs.plan_due()
    assert asked() == [("delete", "app", ""), ("untag", "app", "amd64")]


def hung(image: Image, on: str, kind: str, manifest: Manifest | None = None) -> Manifest:
    """What a tool made of the digest behind `on`, just now."""
    name = image.tags.get(name=on).manifest_id.replace(":", "-")
    return tagged(image, f"{name}.{kind}", 0, manifest)


def test_what_tools_hung_on_goes_and_stays_with_its_version_and_is_none(image: Image) -> None:
    log = hung(image, "1d", "log")
    for kind in ("src", "0123456789abcdef.sbom"):
        hung(image, "100d", kind)
    hung(image, "100d", "log", log)  # as of the other version
    rule(image, keep_days=None, keep_last=1)
    runs.plan_due()
    (gone,) = [image.tags.get(name="100d").manifest_id]
    whole = {item.digest for item in RemovalItem.objects.filter(removal__kind="delete")}
    going = image.tags.filter(name__startswith=gone.replace(":", "-")).exclude(manifest=log)
    assert whole == {gone, *going.values_list("manifest_id", flat=True)}
    assert len(whole) == 3
    assert [item.tag for item in RemovalItem.objects.filter(removal__kind="untag")] == [
        f"{gone.replace(':', '-')}.log"
    ]
    assert last().kept == 1


def test_a_version_that_a_tool_hung_onto_another_stays_with_that(image: Image) -> None:
    shared = image.tags.get(name="100d").manifest
    hung(image, "1d", "src", shared)
    rule(image, keep_days=None, keep_last=1)
    runs.plan_due()
    assert asked() == [("untag", "app", "100d")]


def test_what_was_pulled_stays_also_when_by_digest(image: Image) -> None:
    old = image.tags.get(name="100d")
    watched(days=500)
    PullStats.objects.create(
        image=image, digest=old.manifest_id, username="x", count=1, last_at=timezone.now()
    )
    rule(image, keep_days=None, keep_pulled_days=30, keep_last=1)
    runs.plan_due()
    assert (last().state, asked()) == ("done", [])


@pytest.mark.parametrize("nested", [False, True])
def test_a_pull_by_a_platforms_digest_is_one_of_the_tag(image: Image, nested: bool) -> None:
    watched(days=500)
    index, platform = image.tags.get(name="100d").manifest_id, "sha256:" + "a" * 64
    tagged(image, "unused", 100)
    if nested:
        between = factories.ManifestFactory(kind="index")
        Descriptor.objects.create(manifest_id=index, digest=between.digest, kind="manifest")
        index = between.digest
    Descriptor.objects.create(manifest_id=index, digest=platform, kind="manifest")
    PullStats.objects.create(image=image, digest=platform, username="x", count=1, last_at=timezone.now())
    found = preview.preview_image(Rule(keep_pulled_days=30), image, timezone.now())
    assert [each.version.name for each in found.removed] == ["unused"]
    assert [each.reasons for each in found.decisions if each.version.name == "100d"] == [(Reason.PULLED,)]


@pytest.mark.parametrize("by_digest", [False, True])
@pytest.mark.parametrize(("counts", "gone"), [(False, ["100d"]), (True, [])])
def test_who_only_looks_keeps_a_tag_where_the_rule_says_so(
    image: Image, by_digest: bool, counts: bool, gone: list[str]
) -> None:
    watched(days=500)
    digest = image.tags.get(name="100d").manifest_id
    key = {"digest": digest} if by_digest else {"tag": "100d"}
    PullStats.objects.create(
        image=image, username="x", last_at=NEVER, checks=1, checked_at=timezone.now(), **key
    )
    found = preview.preview_image(Rule(keep_pulled_days=30, keep_checked=counts), image, timezone.now())
    assert [each.version.name for each in found.removed if each.version.name == "100d"] == gone


def watched(*, days: float, silent: float = 0) -> None:
    """The registry tells of pulls, and has for so long."""
    now = timezone.now()
    Marker.objects.create(name=Marker.PULLS, at=now - timedelta(days=silent))
    Marker.objects.create(name=Marker.PULLS_SINCE, at=now - timedelta(days=days))


def only_pushes(*, days: float) -> None:
    heartbeats.note(Marker.EVENTS, timezone.now())
    at = timezone.now() - timedelta(days=days)
    TagHistoryEntry.objects.create(image=Image.objects.get(), tag="x", how="event", at=at)


@pytest.mark.parametrize(
    ("spoil", "pulled", "why"),
    [
        (lambda: SyncRun.objects.all().delete(), None, "not been read completely"),
        (
            lambda: SyncRun.objects.create(state="failed", finished_at=timezone.now()),
            None,
            "failed or needs approval",
        ),
        (
            lambda: SyncRun.objects.create(state="needs_approval", finished_at=timezone.now()),
            None,
            "failed or needs approval",
        ),
        (
            lambda: SyncRun.objects.update(finished_at=timezone.now() - timedelta(hours=25)),
            None,
            "24 hours ago",
        ),
        (lambda: Repository.objects.update(problem="500"), None, "not known for certain"),
        (lambda: Repository.objects.update(missing_since=timezone.now()), None, "not known for certain"),
        (
            lambda: Event.objects.create(event_id="1", repository="team/app", action="push"),
            None,
            "not known for",
        ),
        (lambda: None, 30, "never reported a pull"),
        (lambda: only_pushes(days=500), 30, "never reported a pull"),
        (lambda: watched(days=500, silent=5), 30, "reported no pull for more than"),
        (lambda: watched(days=10), 30, "for as long as the rule looks back"),
    ],
)
def test_run_with_a_blocker_is_skipped_and_says_why(
    image: Image, spoil: Any, pulled: int | None, why: str
) -> None:
    spoil()
    rule(image, keep_pulled_days=pulled)
    runs.plan_due()
    assert last().state == "skipped"
    assert why in last().problem
    assert not Removal.objects.exists()


def test_an_incomplete_check_of_others_does_not_stop_a_rule(image: Image) -> None:
    SyncRun.objects.create(state="incomplete", finished_at=timezone.now())
    rule(image)
    runs.plan_due()
    assert last().state == "running"


def test_run_leaves_out_an_uncertain_image_and_names_it(cast: Cast, image: Image) -> None:
    make_image(cast, "web")
    Repository.objects.filter(name="team/web").update(problem="500")
    rule(image)
    runs.plan_due()
    assert asked() == [("delete", "app", "")]
    assert last().problem == "Left out, because their tags are not known for certain now: web."


def test_it_runs_once_a_day_and_after_a_skip_again_in_an_hour(image: Image) -> None:
    rule(image, keep_days=200)
    runs.plan_due()
    runs.plan_due()
    assert RetentionRun.objects.count() == 1
    RetentionRun.objects.update(started_at=timezone.now() - timedelta(hours=25))
    runs.plan_due()
    assert RetentionRun.objects.count() == 2
    skipped = last()
    RetentionRun.objects.filter(pk=skipped.pk).update(
        state="skipped", started_at=timezone.now() - timedelta(minutes=50)
    )
    runs.plan_due()
    assert last().pk == skipped.pk
    RetentionRun.objects.filter(pk=skipped.pk).update(started_at=timezone.now() - timedelta(minutes=70))
    runs.plan_due()
    assert RetentionRun.objects.count() == 2  # the skipped one is replaced
    assert last().state == "done"


def test_run_now_is_one_run_and_the_persons(cast: Cast, image: Image) -> None:
    made = rule(image, enabled=False)
    first = runs.start(by=cast.by("manager"), rule=made)
    assert runs.start(by=cast.by("owner"), rule=made).pk == first.pk
    runs.plan_due()
    assert Removal.objects.get().requested_by == "manager@example.com"


def test_a_run_whose_removals_have_all_finished_is_finished_once_by_the_task(
    cast: Cast, image: Image
) -> None:
    make_image(cast, "web")
    rule(image)
    runs.plan_due()
    first, second = Removal.objects.order_by("id")
    first.items.update(state="done", outcome="done")
    finish_removal(first)
    run_result.finish_completed()
    assert last().state == "running"
    second.items.update(state="stopped", outcome="in_use")
    finish_removal(second)  # and the worker is killed before it finishes the run
    assert last().state == "running"
    tasks.removals()
    tasks.removals()
    assert AuditEvent.objects.filter(action="retention.ran").count() == 1
    assert (last().state, last().removed_count) == ("done", 1)
    assert last().removed[0]["tag"] == "100d"
    assert "1 could not be removed: something else needs it" in last().problem


def close(image: Image) -> None:
    type(image.namespace.account).objects.update(closed_at=timezone.now())


def test_a_closed_accounts_rule_does_not_run(cast: Cast, image: Image) -> None:
    rule(image)
    close(image)
    runs.plan_due()
    assert not RetentionRun.objects.exists()
    runs.start(by=cast.by("owner"), rule=RetentionRule.objects.get())  # the page was open
    runs.plan_due()
    assert (last().state, last().problem) == ("skipped", "The account is closed, so nothing was done.")
    assert not Removal.objects.exists()


def test_a_suspended_accounts_rule_does_not_run(cast: Cast, image: Image) -> None:
    rule(image)
    suspension.suspend(by=cast.by("owner"), account=cast.account)
    runs.plan_due()
    assert not RetentionRun.objects.exists()
    runs.start(by=cast.by("owner"), rule=RetentionRule.objects.get())
    runs.plan_due()
    assert (last().state, last().problem) == ("skipped", "The account is suspended, so nothing was done.")
    assert not Removal.objects.exists()


@pytest.mark.parametrize(("days", "enabled"), [(0, True), (3, False)])
def test_a_rule_that_counts_days_is_off_after_a_suspension_of_days(
    cast: Cast, image: Image, days: int, enabled: bool
) -> None:
    """In those days nobody could pull, so everything would look unused."""
    rule(image)
    counting = RetentionRule.objects.get()
    RetentionRule.objects.filter(pk=counting.pk).update(keep_pulled_days=30)
    by = cast.by("owner")
    suspension.suspend(by=by, account=cast.account)
    Account.objects.filter(pk=cast.account.pk).update(suspended_at=timezone.now() - timedelta(days=days))
    account_service.restore(by=by, account=cast.account)
    counting.refresh_from_db()
    assert counting.enabled is enabled
    cast.account.refresh_from_db()
    assert cast.account.suspended_at is None
    if not enabled:
        assert "suspended for 3 days" in last().problem


def test_closing_an_account_withdraws_what_its_rules_have_not_begun(cast: Cast, image: Image) -> None:
    make_image(cast, "web")
    rule(image)
    runs.plan_due()
    begun, waiting = RemovalItem.objects.order_by("id")
    RemovalItem.objects.filter(pk=begun.pk).update(started_at=timezone.now())
    close(image)
    runs.plan_due()
    begun.refresh_from_db()
    waiting.refresh_from_db()
    assert (begun.state, waiting.state, waiting.outcome) == ("waiting", "stopped", "withdrawn")


SPOILERS = {
    "off": lambda: RetentionRule.objects.update(enabled=False),
    "changed": lambda: RetentionRule.objects.update(keep_days=40),
    "closed": lambda: close(Image.objects.get()),
    "gone": lambda: RetentionRule.objects.all().delete(),
    "withdrawn": lambda: RetentionRun.objects.update(state="skipped", finished_at=timezone.now()),
    "own": lambda: rule(Image.objects.get(), image_name="app", enabled=False),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_what_happens_to_a_rule_while_its_run_is_decided_stops_it(image: Image, spoiler: str) -> None:
    rule(image)
    with statements.before('FROM "namespaces_descriptor"', SPOILERS[spoiler]):
        runs.plan_due()
    assert not Removal.objects.exists()
    states = set(RetentionRun.objects.values_list("state", flat=True))
    assert states == {"gone": set(), "own": {"done"}}.get(spoiler, {"skipped"})


def test_a_persons_run_of_a_rule_that_is_off_goes_on_and_not_of_one_changed(cast: Cast, image: Image) -> None:
    made = rule(image, enabled=False)
    runs.start(by=cast.by("owner"), rule=made)
    service.change(by=cast.by("owner"), rule=made, conditions=conditions(keep_days=20))
    assert (last().state, last().finished_at is not None) == ("skipped", True)
    assert "changed or turned off" in last().problem
    runs.plan_due()
    assert not Removal.objects.exists()
    runs.start(by=cast.by("owner"), rule=made)
    runs.plan_due()
    assert asked() == [("delete", "app", "")]


def test_disabling_a_rule_ends_a_run_that_waits(cast: Cast, image: Image) -> None:
    made = rule(image)
    RetentionRun.objects.create(rule=made)
    service.set_enabled(by=cast.by("owner"), rule=made, enabled=False)
    assert last().state == "skipped"
    runs.plan_due()
    assert not Removal.objects.exists()


def conditions(**more: Any) -> service.Conditions:
    empty: Any = dict.fromkeys(service.NUMBERS) | {"keep_pattern": "", "protect_pattern": ""}
    return empty | more  # type: ignore[no-any-return]


def test_a_rule_is_not_deleted_while_the_worker_is_at_it(cast: Cast, image: Image) -> None:
    make_image(cast, "web")
    made = rule(image)
    runs.plan_due()
    begun, waiting = RemovalItem.objects.order_by("id")
    RemovalItem.objects.filter(pk=begun.pk).update(started_at=timezone.now(), placeholder_digest="sha256:1")
    with pytest.raises(Conflict, match="wait until the run has ended"):
        service.remove(by=cast.by("owner"), rule=made)
    made.refresh_from_db()
    waiting.refresh_from_db()
    assert (made.enabled, waiting.outcome) == (False, "withdrawn")
    assert RemovalItem.objects.filter(pk=begun.pk, state="waiting", placeholder_digest="sha256:1").exists()
    page = cast.client("owner").post(f"/a/team-red/n/team/rules/{made.pk}/delete/", follow=True)
    assert "wait until the run has ended" in page.content.decode()
    api = cast.client("owner").delete(reverse("api-retention-rule", args=["team-red", "team", made.pk]))
    assert api.status_code == 409
    assert AuditEvent.objects.filter(action="retention.switched_off").count() == 1
    assert not AuditEvent.objects.filter(action="retention.deleted").exists()


def test_what_a_deleted_rules_run_did_is_in_the_audit_trail(cast: Cast, image: Image) -> None:
    make_image(cast, "web")
    made = rule(image)
    runs.plan_due()
    done = RemovalItem.objects.order_by("id")[0]
    RemovalItem.objects.filter(pk=done.pk).update(started_at=timezone.now(), state="done", outcome="done")
    service.remove(by=cast.by("owner"), rule=made)
    assert not RetentionRun.objects.exists()
    events = AuditEvent.objects.filter(action__in=["retention.ran", "retention.deleted"]).order_by("id")
    assert [(each.action, each.after) for each in events] == [
        ("retention.ran", {"tags": "1"}),
        ("retention.deleted", {}),
    ]
