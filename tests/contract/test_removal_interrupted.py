"""Removing from real registries that fall silent or refuse, by workers that die, are overtaken, or stopped half-way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import AuditEvent
from namespaces.models import RepositoryManifest
from registry_sync import leases
from registry_sync.client import NotInRegistry, RegistryClient, Rejected, TemporaryFailure
from registry_sync.models import Lease, Removal, RetentionRule, RetentionRun
from registry_sync.panel_client import PanelTokens
from tests.contract.conftest import push
from tests.contract.removals import Place, ends, place
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

OTHER = images.Image(env=["A=1"])


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


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
    Removal.objects.filter(pk=late.pk).update(requested_at=timezone.now() - timedelta(hours=1))
    there.work()
    assert ends(late) == ("failed", ["no_response"])


class _Killed(BaseException):
    """As kill -9 would end it: nothing after this line runs."""


class Dying(RegistryClient):
    """Ends before, or after, its n-th request."""

    def __init__(self, url: str, last: int, *, after: bool) -> None:
        super().__init__(url, PanelTokens())
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
    "restore": lambda there: there.restore(
        "1.0", RepositoryManifest.objects.get(manifest__tags=None).manifest_id
    ),
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
            RepositoryManifest.objects.get_or_create(image=there.image(), manifest_id=_stored(there, digest))
        wish = KINDS[kind](there)
        killed = work_killed_at(there, step, after=after)
        there.work()
        assert ends(wish) == ("done", ["done"]), step
        left = {"untag": "", "delete": "", "restore": digest}[kind]
        assert there.points_at("1.0") == left
        assert there.points_at(digest) == ("" if kind == "delete" else digest)
        assert there.tags() == {"keep": there.points_at("keep")} | ({"1.0": left} if left else {})
        assert AuditEvent.objects.filter(object_id=str(there.image().pk)).count() == step
        RepositoryManifest.objects.filter(manifest=digest).update(gone_at=None)
        if not killed:
            steps = step
            break
    assert steps > 4


def _stored(there: Place, digest: str) -> str:
    """The first image, as once under the tag."""
    if not RepositoryManifest.objects.filter(manifest=digest).exists():
        push(there.registry, "team/app", "1.0", images.Image())
        there.sync()
        push(there.registry, "team/app", "1.0", OTHER)
        there.sync()
    return digest


def died_halfway(there: Place, digest: str) -> bool:
    """A worker died when it had put a placeholder under the tag. False: this registry removes tags itself."""
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
    Removal.objects.update(requested_at=long_ago, due_at=long_ago)
    there.work()
    assert ends(removal) == ("waiting", ["", "no_response"])
    assert removal.due_at
    assert removal.due_at > timezone.now() + timedelta(seconds=50)
    there.registry.restart()
    Removal.objects.update(due_at=long_ago)
    there.work()
    assert ends(removal) == ("partial", ["done", "no_response"])
    assert (there.points_at("1.0"), there.points_at("2.0")) == ("", digest)


@pytest.mark.parametrize("act", ["untag", "delete", "restore"])
def test_who_was_succeeded_before_the_request_sends_none(there: Place, act: str) -> None:
    """Stopped when it had decided, and taken up again when another had long done it, and something was pushed."""
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    if act == "restore":
        there.untag("1.0")
        there.work()
        removal = there.restore("1.0", digest)
    else:
        removal = there.untag("1.0") if act == "untag" else there.delete("1.0")
    before, own = there.points_at("1.0"), PanelTokens()

    def succeeded(scope: str, *actions: str) -> str:
        if {"delete", "push"} & set(actions):
            Lease.objects.update(token=F("token") + 1)
        return own(scope, *actions)

    there.work(RegistryClient(there.registry.url, succeeded))
    assert there.points_at("1.0") == before
    assert ends(removal) == ("waiting", [""])


class Deaf(RegistryClient):
    """Takes a deletion, and no answer comes."""

    def delete(self, repository: str, reference: str, **more: Any) -> None:
        raise TemporaryFailure("the registry does not answer")


@pytest.mark.parametrize("by_rule", [False, True])
def test_what_was_sent_and_not_confirmed_is_in_the_audit_trail(there: Place, by_rule: bool) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.delete("1.0")
    if by_rule:
        rule = RetentionRule.objects.create(namespace=there.image().namespace, keep_days=1, enabled=True)
        run = RetentionRun.objects.create(rule=rule, requested_by="rule")
        Removal.objects.update(run=run, requested_by="rule", requested_by_id=None)
    there.work(Deaf(there.registry.url, PanelTokens()))
    assert ends(removal) == ("waiting", [""])
    assert not AuditEvent.objects.filter(object_kind="image").exists()
    long_ago = timezone.now() - timedelta(days=30)
    Removal.objects.update(requested_at=long_ago, due_at=long_ago)
    there.work(Deaf(there.registry.url, PanelTokens()))
    assert ends(removal) == ("failed", ["no_response"])
    event = AuditEvent.objects.get(object_kind="image")
    assert (event.action, event.actor) == (
        "removal.unconfirmed",
        "rule" if by_rule else "owner@example.com",
    )
    assert event.before == {"digest": digest, "tags": "1.0"}
    assert event.after == {"outcome": "no_response", "begun": True}


@pytest.mark.parametrize("wish", ["untag", "restore", "restore another"])
def test_a_placeholder_that_was_left_under_the_tag_is_ours(there: Place, wish: str) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    other = push(there.registry, "team/app", "2.0", OTHER)
    there.sync()
    given_up = there.untag("1.0")
    if not died_halfway(there, digest):
        return
    given_up.items.update(state="failed", outcome="no_response")
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


def test_a_placeholder_under_the_tag_is_never_in_the_inventory(there: Place) -> None:
    """A worker died between pushing it and deleting it, and a sync comes by."""
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    if not died_halfway(there, digest):
        return
    assert there.points_at("1.0") == removal.items.get().placeholder_digest
    there.sync_anyway()
    assert there.tags() == {"1.0": digest}
    there.work()
    assert there.tags() == {}
    assert (there.points_at("1.0"), there.points_at(digest)) == ("", digest)


class Refusing(RegistryClient):
    """Deletes what it has not, as it should, and then not the placeholder."""

    def delete(self, repository: str, reference: str, **more: Any) -> None:
        try:
            super().delete(repository, reference, **more)
        except NotInRegistry:
            self.proven = True
            raise

    def _send(self, method: str, *arguments: Any, **more: Any) -> Any:
        if method == "DELETE" and getattr(self, "proven", False):
            raise Rejected(405, frozenset({"UNSUPPORTED"}))
        return super()._send(method, *arguments, **more)


def test_a_tag_whose_placeholder_cannot_be_deleted_gets_its_image_back(there: Place) -> None:
    """Only where there are stand-ins: a registry that is reconfigured in just this moment."""
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    there.work(Refusing(there.registry.url, PanelTokens()))
    if there.registry.version == "2.8":
        assert ends(removal) == ("failed", ["deletion_disabled"])
        assert there.points_at("1.0") == digest
        assert there.tags() == {"1.0": digest}
    else:
        assert ends(removal) == ("done", ["done"])


def test_one_image_has_one_worker_at_a_time(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    lease = f"removal-{there.image().pk}"
    token = leases.acquire(lease, timezone.now())
    assert token
    there.work()
    assert ends(removal) == ("waiting", [""])
    assert there.points_at("1.0") == digest
    leases.release(lease, token, timezone.now())
    there.work()
    assert ends(removal) == ("done", ["done"])


def test_a_worker_that_lost_its_lease_writes_nothing_more(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")

    class Slow(RegistryClient):
        def delete(self, repository: str, reference: str, **more: Any) -> None:
            super().delete(repository, reference, **more)
            Lease.objects.update(token=F("token") + 1)  # another took it over meanwhile

    if there.registry.version == "2.8":
        Slow.delete = RegistryClient.delete  # type: ignore[method-assign]
        Slow.put_blob = lambda *_all: Lease.objects.update(token=F("token") + 1)  # type: ignore[method-assign,assign]
    there.work(Slow(there.registry.url, PanelTokens()))
    assert ends(removal) == ("waiting", [""])
    assert there.tags()
    Lease.objects.update(until=timezone.now())
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.tags() == {}
