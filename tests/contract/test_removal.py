"""Untag, delete and restore against real registries of both generations."""

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.errors import Conflict
from accounts.models import AuditEvent
from namespaces.models import Manifest, Revision, TagMove
from registry_sync.client import Declined, Missing, Registry, Sweep, TagsRead, Unreachable
from registry_sync.connection import OwnTokens
from registry_sync.models import Event, Lease, Removal, RetentionRule, RetentionRun
from registry_sync.notifications import apply
from registry_sync.removal import ask, looks
from registry_sync.sync import leases
from tests import factories
from tests.contract.conftest import delete, push, push_manifest
from tests.contract.removals import Place, ends, place
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

OTHER = images.Image(env=["A=1"])


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


def test_untag_takes_one_tag_and_leaves_the_others_and_the_image(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "latest", images.Image())
    there.sync()
    removal = there.untag("1.0")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert (there.points_at("1.0"), there.points_at("latest"), there.points_at(digest)) == (
        "",
        digest,
        digest,
    )
    assert there.tags() == {"latest": digest}
    move = TagMove.objects.latest("id")
    assert (move.tag, move.old, move.new, move.how, move.by) == (
        "1.0",
        digest,
        "",
        "panel",
        "owner@example.com",
    )
    event = AuditEvent.objects.get(action="tag.removed")
    assert (event.object, event.before, event.actor) == (
        "team/app:1.0",
        {"digest": digest},
        "owner@example.com",
    )
    there.sync()
    assert there.tags() == {"latest": digest}
    assert Revision.objects.get(manifest=digest).gone_at is None


def test_untag_of_several_and_of_the_last_tag_keeps_the_image(there: Place) -> None:
    one = push(there.registry, "team/app", "1.0", images.Image())
    two = push(there.registry, "team/app", "2.0", OTHER)
    there.sync()
    removal = there.untag("1.0", "2.0")
    there.work()
    assert ends(removal) == ("done", ["done", "done"])
    assert (there.points_at(one), there.points_at(two)) == (one, two)
    assert there.tags() == {}
    assert there.image().tag_count == 0


def test_what_was_untagged_or_moved_is_put_back(there: Place) -> None:
    old = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    new = push(there.registry, "team/app", "1.0", OTHER)
    there.sync()
    back = there.restore("1.0", old)
    there.work()
    assert ends(back) == ("done", ["done"])
    assert there.points_at("1.0") == old
    assert there.tags() == {"1.0": old}
    there.untag("1.0")
    there.work()
    again = there.restore("1.0", new)
    there.work()
    assert ends(again) == ("done", ["done"])
    assert (there.points_at("1.0"), there.tags()) == (new, {"1.0": new})
    assert AuditEvent.objects.filter(action="tag.restored").count() == 2
    there.sync()
    moves = TagMove.objects.order_by("id").values_list("old", "new")
    assert list(moves) == [("", old), (old, new), (new, old), (old, ""), ("", new)]


def test_an_index_is_put_back_whole(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", *images.two_platforms())
    there.sync()
    there.untag("1.0")
    there.work()
    assert there.points_at("1.0") == ""
    there.restore("1.0", digest)
    there.work()
    assert there.points_at("1.0") == digest


def test_delete_takes_the_digest_and_every_tag_that_was_named(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "latest", images.Image())
    kept = push(there.registry, "team/app", "2.0", OTHER)
    there.sync()
    shown = ask.outlook(there.image(), tags=["1.0"])
    assert shown.impact.also == ("latest",)
    image = images.Image()
    assert shown.freed == len(image.config.content)  # the layers are those of 2.0 too
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert (there.points_at(digest), there.points_at("latest")) == ("", "")
    assert there.tags() == {"2.0": kept}
    assert Revision.objects.get(manifest=digest).gone_at
    event = AuditEvent.objects.get(action="manifest.deleted")
    assert event.before == {"digest": digest, "tags": "1.0, latest"}
    with pytest.raises(Conflict):
        there.restore("1.0", digest)


def test_an_index_goes_with_its_platforms_and_a_platform_of_a_tagged_one_never(there: Place) -> None:
    platforms = images.two_platforms()
    digest = push(there.registry, "team/app", "1.0", *platforms)
    shared = push(there.registry, "team/app", "amd64", platforms[0])
    there.sync()
    with pytest.raises(Conflict, match=r"one platform of the image tagged 1\.0"):
        there.delete("amd64")
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("done", ["done", "done"])
    assert [there.points_at(each) for each in (digest, platforms[1].digest, shared)] == ["", "", shared]
    assert there.tags() == {"amd64": shared}


def test_a_platform_whose_index_came_after_the_picture_is_kept(there: Place) -> None:
    """Asked for while it was a plain image; the direct look finds the index."""
    platforms = images.two_platforms()
    push(there.registry, "team/app", "amd64", platforms[0])
    there.sync()
    removal = there.delete("amd64")
    push(there.registry, "team/app", "1.0", *platforms)
    there.work()
    assert ends(removal) == ("failed", ["held"])
    assert there.points_at(platforms[0].digest)


def test_a_tag_that_came_meanwhile_holds_its_digest(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.delete("1.0")
    push(there.registry, "team/app", "new", images.Image())
    there.work()
    assert ends(removal) == ("failed", ["held"])
    assert removal.items.get().detail == "new"
    assert there.points_at("1.0") == digest


def looking(there: Place, registry: Registry | None = None) -> looks.Looks:
    return looks.Looks(there.image(), registry or there.client(), lambda: None)


class Overtaken(Sweep):
    """A tag is pushed when all have been read."""

    there: Place

    def read_tags(self, *arguments: Any, **more: Any) -> list[TagsRead]:
        read = super().read_tags(*arguments, **more)
        push(self.there.registry, "team/app", "late", images.Image())
        return read


def test_a_tag_that_comes_during_a_long_look_holds_its_digest(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    Overtaken.there = there
    monkeypatch.setattr(looks, "Sweep", Overtaken)
    monkeypatch.setattr(looks, "LONG", -1.0)
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("failed", ["held"])
    assert removal.items.get().detail == "late"
    assert there.points_at(digest) == digest


def test_a_look_is_as_old_as_its_beginning(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    moments = iter([100.0, 100.0, 100.5, 107.0, 107.0, 107.5])
    monkeypatch.setattr(looks, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    Overtaken.there = there
    monkeypatch.setattr(looks, "Sweep", Overtaken)
    look = looking(there)
    assert look.objections(digest, {"tags": ["1.0"]}) == []
    assert look.objections(digest, {"tags": ["1.0"]}) == ["late"]


def test_a_tag_that_an_event_told_of_since_the_look_holds_its_digest(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    look = looking(there)
    assert look.objections(digest, {"tags": ["1.0"]}) == []
    factories.TagFactory(image=there.image(), name="told", manifest=Manifest.objects.get(digest=digest))
    assert look.objections(digest, {"tags": ["1.0"]}) == ["told"]


def test_an_index_in_an_index_that_came_meanwhile_holds_its_leaf(there: Place) -> None:
    leaf = images.Image()
    digest = push(there.registry, "team/app", "1.0", leaf)
    there.sync()
    removal = there.delete("1.0")
    top = leaf.manifest
    for _depth in range(3):
        top = images.index_of(top)
        push_manifest(there.registry, "team/app", top.digest, top)
    push_manifest(there.registry, "team/app", "nested", top)
    there.work()
    assert ends(removal) == ("failed", ["held"])
    assert there.points_at(digest) == digest


def test_what_moved_meanwhile_is_left_alone(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    new = push(there.registry, "team/app", "1.0", OTHER)
    there.work()
    assert ends(removal) == ("failed", ["moved"])
    assert there.points_at("1.0") == new
    assert not AuditEvent.objects.filter(action="tag.removed").exists()


def test_a_restore_does_not_overwrite_a_push_meanwhile(there: Place) -> None:
    old = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    removal = there.restore("1.0", old)
    new = push(there.registry, "team/app", "1.0", OTHER)
    there.work()
    assert ends(removal) == ("failed", ["moved"])
    assert there.points_at("1.0") == new


def test_what_the_registry_lost_cannot_be_put_back(there: Place) -> None:
    old = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    delete(there.registry, "team/app", old)
    removal = there.restore("1.0", old)
    there.work()
    assert ends(removal) == ("failed", ["not_there"])
    assert Revision.objects.get(manifest=old).gone_at


@pytest.mark.parametrize(
    ("storage", "outcome"),
    [
        ({"delete": {"enabled": False}}, "disabled"),
        ({"delete": {"enabled": True}, "maintenance": {"readonly": {"enabled": True}}}, "read_only"),
    ],
)
def test_a_registry_that_takes_no_deletion_says_so_and_keeps_all(
    there: Place, storage: dict[str, Any], outcome: str
) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    push(there.registry, "team/app", "2.0", images.Image())
    there.sync()
    config = json.loads(there.registry.config.read_text())
    config["storage"] = {**config["storage"], **storage}
    there.registry.config.write_text(json.dumps(config))
    there.registry.restart()
    untag, deletion = there.untag("2.0"), there.delete("2.0")
    there.work()
    assert ends(untag) == ("failed", [outcome])
    assert ends(deletion) == ("failed", [outcome])
    assert there.points_at("2.0") == digest
    assert there.tags() == {"2.0": digest}
    back = there.restore("1.0", digest)
    there.work()
    assert ends(back) == (("done", ["done"]) if outcome == "disabled" else ("failed", ["read_only"]))


def test_a_silent_registry_is_asked_again_and_given_up(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    there.registry.stop()
    there.work()
    removal.refresh_from_db()
    assert removal.state == "waiting"
    assert removal.due_at is not None
    assert removal.due_at > timezone.now()
    assert "does not answer" in removal.problem
    there.registry.restart()
    there.work()
    assert ends(removal) == ("waiting", [""])  # not due yet
    Removal.objects.update(due_at=timezone.now())
    there.work()
    assert ends(removal) == ("done", ["done"])
    late = there.restore("1.0", digest)
    there.registry.stop()
    Removal.objects.filter(pk=late.pk).update(asked_at=timezone.now() - timedelta(hours=1))
    there.work()
    assert ends(late) == ("failed", ["silent"])


class _Killed(BaseException):
    """As kill -9 would end it: nothing after this line runs."""


class Dying(Registry):
    """Ends before, or after, its n-th request."""

    def __init__(self, url: str, last: int, *, after: bool) -> None:
        super().__init__(url, OwnTokens())
        self.left, self.after = last, after

    def _send(self, *arguments: Any, **more: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise _Killed
        answer = super()._send(*arguments, **more)
        if self.left == 0:
            raise _Killed
        return answer


def work_killed_at(there: Place, step: int, *, after: bool) -> bool:
    """False when it ended before that step. The dead worker's lease is over."""
    dying = Dying(there.registry.url, step, after=after)
    try:
        there.work(dying)
    except _Killed:
        Lease.objects.update(until=timezone.now())
        return True
    return False


KINDS: dict[str, Callable[[Place], Removal]] = {
    "untag": lambda there: there.untag("1.0"),
    "delete": lambda there: there.delete("1.0"),
    "restore": lambda there: there.restore("1.0", Revision.objects.get(manifest__tags=None).manifest_id),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_worker_killed_at_any_step_is_succeeded_and_the_end_is_the_same(
    there: Place, kind: str, after: bool
) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "keep", images.Image(env=["KEEP=1"]))
    steps = 0
    for step in range(1, 30):
        push(there.registry, "team/app", "1.0", images.Image())
        if kind == "restore":
            push(there.registry, "team/app", "1.0", OTHER)
        there.sync()
        if kind == "restore":
            Revision.objects.get_or_create(image=there.image(), manifest_id=_stored(there, digest))
        wish = KINDS[kind](there)
        killed = work_killed_at(there, step, after=after)
        there.work()
        assert ends(wish) == ("done", ["done"]), step
        left = {"untag": "", "delete": "", "restore": digest}[kind]
        assert there.points_at("1.0") == left
        assert there.points_at(digest) == ("" if kind == "delete" else digest)
        assert there.tags() == {"keep": there.points_at("keep")} | ({"1.0": left} if left else {})
        assert AuditEvent.objects.filter(object_id=str(there.image().pk)).count() == step
        Revision.objects.filter(manifest=digest).update(gone_at=None)
        if not killed:
            steps = step
            break
    assert steps > 4


def _stored(there: Place, digest: str) -> str:
    """The first image, as once under the tag."""
    if not Revision.objects.filter(manifest=digest).exists():
        push(there.registry, "team/app", "1.0", images.Image())
        there.sync()
        push(there.registry, "team/app", "1.0", OTHER)
        there.sync()
    return digest


def test_what_the_registry_tells_afterwards_changes_nothing(
    telling_registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a stand-in, told of before it was deleted, is never shown."""
    monkeypatch.setattr(apply, "LATER", timedelta(seconds=0.1))
    there = place(telling_registry)
    digest = push(telling_registry, "team/app", "1.0", images.Image())
    push(telling_registry, "team/app", "latest", images.Image())
    there.sync()
    _settle(there, until=lambda: Event.objects.filter(tag="latest", action="push").exists())
    Event.objects.all().delete()
    there.untag("1.0")
    there.work()
    _settle(there, until=lambda: Event.objects.filter(action="delete", tag="1.0").exists())
    assert there.tags() == {"latest": digest}
    assert list(TagMove.objects.filter(tag="1.0").values_list("new", "how")) == [
        (digest, "found"),
        ("", "panel"),
    ]
    there.restore("1.0", digest)
    there.work()
    _settle(there, until=lambda: Event.objects.filter(action="push", tag="1.0", digest=digest).exists())
    assert there.tags() == {"latest": digest, "1.0": digest}
    last = TagMove.objects.filter(tag="1.0").latest("id")
    assert (last.how, last.by) == ("panel", "owner@example.com")


def died_halfway(there: Place, digest: str) -> bool:
    """A worker died when it had put a stand-in under the tag. False: this registry removes tags itself."""
    for step in range(1, 20):
        if work_killed_at(there, step, after=True) and there.points_at("1.0") not in ("", digest):
            return True
        if Removal.objects.latest("id").state != "waiting":
            break
    assert there.registry.version != "2.8"
    return False


def test_a_half_way_untag_is_never_given_up(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "2.0", images.Image())
    there.sync()
    removal = there.untag("1.0", "2.0")
    if not died_halfway(there, digest):
        return
    there.registry.stop()
    long_ago = timezone.now() - timedelta(days=30)
    Removal.objects.update(asked_at=long_ago, due_at=long_ago)
    there.work()
    assert ends(removal) == ("waiting", ["", "silent"])
    assert removal.due_at
    assert removal.due_at > timezone.now() + timedelta(seconds=50)
    there.registry.restart()
    Removal.objects.update(due_at=long_ago)
    there.work()
    assert ends(removal) == ("partly", ["done", "silent"])
    assert (there.points_at("1.0"), there.points_at("2.0")) == ("", digest)


class Deaf(Registry):
    """Takes a deletion, and no answer comes."""

    def delete(self, repository: str, reference: str) -> None:
        raise Unreachable("the registry does not answer")


@pytest.mark.parametrize("by_rule", [False, True])
def test_what_was_sent_and_not_confirmed_is_in_the_audit_trail(there: Place, by_rule: bool) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.delete("1.0")
    if by_rule:
        rule = RetentionRule.objects.create(namespace=there.image().namespace, keep_days=1, enabled=True)
        run = RetentionRun.objects.create(rule=rule, asked_by="rule")
        Removal.objects.update(run=run, asked_by="rule", asked_by_id=None)
    there.work(Deaf(there.registry.url, OwnTokens()))
    assert ends(removal) == ("waiting", [""])
    assert not AuditEvent.objects.filter(object_kind="image").exists()
    long_ago = timezone.now() - timedelta(days=30)
    Removal.objects.update(asked_at=long_ago, due_at=long_ago)
    there.work(Deaf(there.registry.url, OwnTokens()))
    assert ends(removal) == ("failed", ["silent"])
    event = AuditEvent.objects.get(object_kind="image")
    assert (event.action, event.actor) == (
        "removal.unconfirmed", "rule" if by_rule else "owner@example.com",
    )  # fmt: skip
    assert event.before == {"digest": digest, "tags": "1.0"}
    assert event.after == {"outcome": "silent", "begun": True}


@pytest.mark.parametrize("wish", ["untag", "restore", "restore another"])
def test_a_stand_in_that_was_left_under_the_tag_is_ours(there: Place, wish: str) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    other = push(there.registry, "team/app", "2.0", OTHER)
    there.sync()
    given_up = there.untag("1.0")
    if not died_halfway(there, digest):
        return
    given_up.items.update(state="failed", outcome="silent")
    Removal.objects.update(state="failed", due_at=None)
    if wish == "untag":
        removal, end = there.untag("1.0"), ""
    else:
        end = digest if wish == "restore" else other
        removal = there.restore("1.0", end)
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.points_at("1.0") == end
    assert there.points_at(digest) == digest


def test_a_stand_in_under_the_tag_is_never_in_the_picture(there: Place) -> None:
    """A worker died between pushing it and deleting it, and a sync comes by."""
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    if not died_halfway(there, digest):
        return
    assert there.points_at("1.0") == removal.items.get().stand_in
    there.sync_anyway()
    assert there.tags() == {"1.0": digest}
    there.work()
    assert there.tags() == {}
    assert (there.points_at("1.0"), there.points_at(digest)) == ("", digest)


def _settle(there: Place, *, until: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not until() or Event.objects.exclude(due_at=None).exists():
        assert time.monotonic() < ends_at, list(Event.objects.values_list("action", "tag", "problem"))
        apply.apply_due(there.client())
        threading.Event().wait(0.02)


class Refusing(Registry):
    """Deletes what it has not, as it should, and then not the stand-in."""

    def delete(self, repository: str, reference: str) -> None:
        try:
            super().delete(repository, reference)
        except Missing:
            self.proven = True
            raise

    def _send(self, method: str, *arguments: Any, **more: Any) -> Any:
        if method == "DELETE" and getattr(self, "proven", False):
            raise Declined(405, frozenset({"UNSUPPORTED"}))
        return super()._send(method, *arguments, **more)


def test_a_tag_whose_stand_in_cannot_go_gets_its_image_back(there: Place) -> None:
    """Only where there are stand-ins: a registry that is reconfigured in just this moment."""
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    there.work(Refusing(there.registry.url, OwnTokens()))
    if there.registry.version == "2.8":
        assert ends(removal) == ("failed", ["disabled"])
        assert there.points_at("1.0") == digest
        assert there.tags() == {"1.0": digest}
    else:
        assert ends(removal) == ("done", ["done"])


def test_one_image_has_one_worker_at_a_time(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    lease = f"removal-{there.image().pk}"
    token = leases.take(lease, timezone.now())
    assert token
    there.work()
    assert ends(removal) == ("waiting", [""])
    assert there.points_at("1.0") == digest
    leases.give_back(lease, token, timezone.now())
    there.work()
    assert ends(removal) == ("done", ["done"])


def test_a_worker_that_lost_its_lease_writes_nothing_more(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")

    class Slow(Registry):
        def delete(self, repository: str, reference: str) -> None:
            super().delete(repository, reference)
            Lease.objects.update(token=F("token") + 1)  # another took it over meanwhile

    if there.registry.version == "2.8":
        Slow.delete = Registry.delete  # type: ignore[method-assign]
        Slow.put_blob = lambda *_all: Lease.objects.update(token=F("token") + 1)  # type: ignore[method-assign,assign]
    there.work(Slow(there.registry.url, OwnTokens()))
    assert ends(removal) == ("waiting", [""])
    assert there.tags()
    Lease.objects.update(until=timezone.now())
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.tags() == {}


def test_what_only_the_history_knows_can_be_deleted_too(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    image = there.image()
    told = ask.outlook(image, digests=[digest]).told
    removal = ask.delete(by=there.by, image=image, tags=(), digests=[digest], told=told, typed_name="app")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.points_at(digest) == ""


def test_a_tag_that_leads_nowhere_does_not_stop_a_deletion(there: Place) -> None:
    """A registry that lost a manifest still lists its tag."""
    broken = push(there.registry, "team/app", "broken", OTHER)
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    root = Path(json.loads(there.registry.config.read_text())["storage"]["filesystem"]["rootdirectory"])
    (link,) = root.glob(f"**/_manifests/revisions/sha256/{broken.partition(':')[2]}/link")
    link.unlink()
    there.registry.restart()
    assert there.points_at("broken") == ""
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.points_at(digest) == ""
