"""Events that come together are applied together: the same rows as one by one, in few statements."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, connection
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from namespaces.models import Image, Manifest, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync import leases
from registry_sync.client import FetchedManifest, RegistryClient
from registry_sync.events import batch, processor, views
from registry_sync.events.due_events import EventQueue
from registry_sync.inventory import late_history, refresh
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.models import Event, Lease, Repository, WorkerCrash
from registry_sync.work_units import WorkUnit
from tests import factories, statements
from tests.django.registry_sync.inventory.properties import examples
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

KIND = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def web() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    registry = ModelRegistry()
    yield registry
    registry.stop()


def client(web: ModelRegistry) -> RegistryClient:
    return RegistryClient(web.url, lambda *_scope: "token")


def content(number: int) -> Blob:
    return Blob(KIND, json.dumps({"n": number}).encode())


def push(web: ModelRegistry, repository: str, tag: str, number: int) -> str:
    blob = content(number)
    web.push(repository, tag, KIND, blob.digest, blob.content)
    return blob.digest


def event(repository: str, tag: str, digest: str, second: float = 0, by: str = "ci") -> dict[str, Any]:
    target = {"mediaType": KIND, "repository": repository, "tag": tag, "digest": digest}
    moment = NOON + timedelta(seconds=second)
    return {
        "id": f"{repository}:{tag}@{digest} {second}", "action": "push", "timestamp": moment.isoformat(),
        "target": target, "actor": {"name": by},
    }  # fmt: skip


def tell(*events: dict[str, Any]) -> None:
    views.store_events(json.dumps({"events": events}).encode(), timezone.now())


def due() -> None:
    Event.objects.exclude(due_at=None).update(due_at=timezone.now())


def pushes(web: ModelRegistry, many: int, move: int = 0) -> list[dict[str, Any]]:
    """To five images, of manifests that they hold all."""
    return [
        event(f"team/app{n % 5}", f"v{n}", push(web, f"team/app{n % 5}", f"v{n}", (n + move) % 10), move)
        for n in range(many)
    ]


@pytest.fixture
def known(web: ModelRegistry) -> ModelRegistry:
    """Whose manifests have been read; a namespace older than all events."""
    factories.Namespace.objects.update(created_at=NOON - timedelta(days=1))
    for number in range(5):
        tell(
            *(
                event(f"team/app{number}", f"b{n}", push(web, f"team/app{number}", f"b{n}", n))
                for n in range(10)
            )
        )
    for _each in range(3):
        processor.process_due(client(web))
        due()
    assert not Event.objects.exclude(due_at=None).exists()
    return web


def asked(web: ModelRegistry, many: int, move: int) -> tuple[int, int, int]:
    """How many statements it takes to apply so many pushes, and to confirm them, and how many requests."""
    tell(*pushes(web, many, move))
    with statements.counted() as applying:
        processor.process_due(client(web))
    assert not Event.objects.filter(applied_at=None).exists()
    web.asked.clear()
    due()
    with statements.counted() as confirming:
        processor.process_due(client(web))
    assert not Event.objects.exclude(due_at=None).exists()
    return len(applying), len(confirming), len(web.asked)


@pytest.mark.django_db
def test_a_hundred_pushes_cost_few_statements_and_ten_as_many(known: ModelRegistry) -> None:
    applying, confirming, requests = asked(known, 100, 1)
    assert applying <= 50
    assert confirming <= 60
    assert requests == 100
    assert Tag.objects.filter(name__startswith="v").count() == 100
    fewer, _confirming, _requests = asked(known, 10, 2)
    assert applying - 5 <= fewer <= applying + 5


@pytest.mark.django_db
def test_each_move_of_one_tag_stays_in_the_history_with_who_did_it(known: ModelRegistry) -> None:
    digests = [content(n).digest for n in (1, 2, 1, 3)]
    tell(*(event("team/app0", "latest", digest, n, f"user{n}") for n, digest in enumerate(digests)))
    processor.process_due(client(known))
    moves = TagHistoryEntry.objects.filter(tag="latest").order_by("at", "id")
    ends = [
        ("", digests[0], "user0"),
        (digests[0], digests[1], "user1"),
        (digests[1], digests[2], "user2"),
        (digests[2], digests[3], "user3"),
    ]
    assert list(moves.values_list("old", "new", "by")) == ends
    tag = Tag.objects.select_related("image").get(name="latest")
    assert (tag.manifest_id, tag.pushed_by) == (digests[3], "user3")
    assert tag.image.newest_history_id == moves.latest("id").pk


@pytest.mark.django_db
def test_new_manifests_are_read_together_once_the_registry_has_answered(web: ModelRegistry) -> None:
    tell(*pushes(web, 40))
    processor.process_due(client(web))
    assert Tag.objects.count() == 40
    assert Image.objects.filter(tag_count=8).count() == 5
    web.asked.clear()
    due()
    web.untag("team/app0", "v0")
    moved = push(web, "team/app1", "v1", 99)
    processor.process_due(client(web))
    due()
    processor.process_due(client(web))
    assert Tag.objects.get(name="v1").manifest_id == moved
    assert Tag.objects.get(name="v0").missing_since  # it takes two answers


@pytest.mark.django_db
def test_pushes_without_a_tag_and_layers_need_no_turn_of_their_own(known: ModelRegistry) -> None:
    held = [event(f"team/app{n % 5}", "", content(n % 10).digest, n) for n in range(30)]
    layers = [event("team/app0", "", f"sha256:{n:064}", n) for n in range(30)]
    for each in layers:
        each["target"]["mediaType"] = "application/octet-stream"
    known.asked.clear()
    tell(*held, *layers, event("nobody/app", "1", content(1).digest))
    processor.process_due(client(known))
    assert known.asked == []
    assert not Event.objects.exclude(due_at=None).exists()


@pytest.mark.django_db
def test_what_a_batch_fails_at_spoils_only_itself(known: ModelRegistry) -> None:
    good, bad = pushes(known, 10, 1), event("team/app1", "poison", content(1).digest)
    tell(*good[:5], bad, *good[5:])
    with statements.failing("namespaces_tag", DataError("no"), of="poison"):
        processor.process_due(client(known))
    assert Event.objects.get(tag="poison").problem
    assert Event.objects.exclude(tag="poison").filter(problem="", applied_at__isnull=False).count() == 60
    due()
    tell(*pushes(known, 10, 2))
    with statements.failing("namespaces_tag", DataError("no"), of="poison"), statements.counted() as said:
        processor.process_due(client(known))
    assert len(said) < 120  # it is by itself by now, and the others are together


@pytest.mark.django_db
def test_a_batch_gives_up_where_the_registry_says_nothing(known: ModelRegistry) -> None:
    tell(*pushes(known, 10, 1))
    processor.process_due(client(known))
    due()
    known.stop()
    processor.process_due(client(known))
    assert Event.objects.exclude(due_at=None).count() == 10
    assert Event.objects.exclude(problem="").count() == 1  # one was tried, the others wait


class Killed(BaseException):
    """SIGKILL."""


class MortalClient(RegistryClient):
    """Whoever reads this manifest is killed."""

    deadly = ""

    def manifest(self, repository: str, reference: str, *, known: str = "") -> FetchedManifest | None:
        if reference == self.deadly:
            raise Killed
        return super().manifest(repository, reference, known=known)


@pytest.mark.django_db
def test_a_batch_that_killed_a_worker_is_done_one_by_one(web: ModelRegistry, kept_leases: None) -> None:
    told = pushes(web, 9)
    tell(*told)
    mortal = MortalClient(web.url, lambda *_scope: "token")
    mortal.deadly = told[5]["target"]["digest"]
    deaths = 0
    while Event.objects.filter(applied_at=None, due_at__isnull=False).exists():
        try:
            processor.process_due(mortal)
        except Killed:
            deaths += 1
        due()
        time_passes()
    assert deaths == 1 + 5  # the batch, and then the one alone until it is left alone
    assert Tag.objects.count() == 8


def time_passes() -> None:
    """So that leases are over, and what comes after all else is due."""
    Lease.objects.update(until=timezone.now())
    for crash in WorkerCrash.objects.all():
        WorkerCrash.objects.filter(pk=crash.pk).update(at=crash.at - timedelta(minutes=1))


@pytest.mark.django_db
def test_the_events_of_a_crashed_batch_are_singled_out_and_no_others() -> None:
    rows = [Event.objects.create(event_id=str(n), action="pull" if n == 1 else "push") for n in range(4)]
    Event.objects.filter(pk=rows[2].pk).update(due_at=None)
    unit = WorkUnit(None, "", f"events {rows[0].pk}-{rows[2].pk}")
    WorkerCrash.objects.create(account_id=unit.account, repository=unit.repository, item=unit.item)
    batch.single_out_crashed()
    assert list(Event.objects.exclude(problem="").values_list("event_id", flat=True)) == ["0"]
    assert not WorkerCrash.objects.exists()


CHANGE = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["a", "b", "c", ""]),
    st.integers(0, 4),
    st.sampled_from(["", "ci", "ann"]),
)


class SameRows(TestCase):
    """Of any changes, in any order, beside any history."""

    def setup_example(self) -> None:
        super().setup_example()
        self.images: list[Image] = [factories.ImageFactory(name=name) for name in ("red", "blue")]
        for image in self.images:
            Repository.objects.create(name=image.repository, image=image)
        self.digests = {"": ""} | {name: factories.ManifestFactory().digest for name in "abc"}

    def empty(self) -> None:
        for model in (Tag, TagHistoryEntry, RepositoryManifest):
            model.objects.all().delete()
        Image.objects.update(tag_count=0, latest_tag="", size=0, pushed_at=None, newest_history_id=0)

    def change(self, told: tuple[int, str, str, int, str]) -> tuple[Image, TagChange]:
        image, tag, name, minute, by = told
        return self.images[image], TagChange(tag, self.digests[name], NOON + timedelta(minutes=minute), by)

    def rows(self) -> list[Any]:
        """Without keys, which a tag that is written over others skips."""
        fields = "image_id", "name", "manifest_id", "pushed_at", "pushed_by", "size", "first_seen_at"
        history = TagHistoryEntry.objects.order_by("image_id", "tag", "at", "id")
        return [
            list(Tag.objects.order_by("image_id", "name").values_list(*fields)),
            list(history.values_list("image_id", "tag", "old", "new", "at", "by", "how")),
            list(
                RepositoryManifest.objects.order_by("image_id", "manifest_id").values_list(
                    "image_id", "manifest_id", "gone_at"
                )
            ),
            list(Image.objects.order_by("id").values_list("tag_count", "latest_tag", "size", "pushed_at")),
        ]

    @settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(CHANGE, max_size=4), st.lists(CHANGE, min_size=1, max_size=8))
    @example([], [(0, "2", "", 0, ""), (0, "1", "a", 0, ""), (0, "2", "a", 0, "")])
    def test_as_one_by_one(self, before: list[Any], told: list[Any]) -> None:
        changes = [self.change(each) for each in told]
        found = []
        for together in (True, False):
            self.empty()
            for each in before:
                late_history.record_change(*self.change(each))
            if together:
                unknown = late_history.record_changes(changes)
            else:
                unknown = [late_history.record_change(*each) for each in changes]
            found.append([unknown, *self.rows()])
        for batch_made, made_one_by_one in zip(*found, strict=True):
            assert batch_made == made_one_by_one


@pytest.mark.django_db
def test_a_batch_of_tags_with_too_long_a_history_is_done_one_by_one(
    known: ModelRegistry, settings: Any
) -> None:
    settings.LATE_MOVES_MAX = 1
    moves = [event("team/app0", "latest", content(n).digest, n) for n in range(4)]
    tell(*moves)
    processor.process_due(client(known))
    tell(*(event("team/app0", "latest", content(n).digest, n + 0.5) for n in range(4)))
    processor.process_due(client(known))
    assert TagHistoryEntry.objects.filter(tag="latest").count() == 4
    assert Manifest.objects.filter(tags__name="latest").get().digest == moves[-1]["target"]["digest"]


@pytest.mark.django_db
def test_a_worker_that_dies_while_it_writes_a_batch_costs_the_others_nothing(
    known: ModelRegistry, kept_leases: None
) -> None:
    def deadly(execute: Any, sql: str, values: Any, *more: Any) -> Any:
        if sql.startswith("INSERT INTO") and "'v3'" in str(values):
            raise Killed
        return execute(sql, values, *more)

    tell(*pushes(known, 10, 1))
    for _worker in range(6):
        with suppress(Killed), connection.execute_wrapper(deadly):
            processor.process_due(client(known))
        due()
        time_passes()
    assert Tag.objects.filter(name__startswith="v").count() == 9


@pytest.mark.django_db
@pytest.mark.parametrize("second", [2.0, 1.0])
def test_a_tag_pushed_new_and_then_back_keeps_the_order(known: ModelRegistry, second: float) -> None:
    new, old = push(known, "team/app0", "latest", 77), push(known, "team/app0", "latest", 3)
    tell(event("team/app0", "latest", new, 1.0, "ann"), event("team/app0", "latest", old, second, "bob"))
    for _look in range(2):
        processor.process_due(client(known))
        due()
    moves = TagHistoryEntry.objects.filter(tag="latest").order_by("at", "id")
    assert list(moves.values_list("old", "new", "by")) == [("", new, "ann"), (new, old, "bob")]
    tag = Tag.objects.get(name="latest")
    assert (tag.manifest_id, tag.first_seen_at) == (old, NOON + timedelta(seconds=1))


@pytest.mark.django_db
def test_repositories_of_untagged_pushes_are_locked_before_anything_is_written(known: ModelRegistry) -> None:
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one writer")
    tell(*(event(f"team/app{n % 5}", "", content(n % 10).digest, n) for n in range(30)))
    with statements.counted() as said:
        processor.process_due(client(known))
    locked = next(
        n for n, each in enumerate(said) if "registry_sync_repository" in each and "SKIP LOCKED" in each
    )
    written = next(
        n for n, each in enumerate(said) if each.startswith("INSERT INTO") and "repositorymanifest" in each
    )
    assert locked < written


@pytest.mark.django_db
def test_an_index_beside_others_is_read_as_by_itself(web: ModelRegistry, settings: Any) -> None:
    settings.INDEX_MANIFESTS_MAX = 4
    for number in range(4):
        children = [content(100 + 3 * number + n) for n in range(3)]
        for n, child in enumerate(children):
            web.push(f"team/app{number}", f"c{n}", KIND, child.digest, child.content)
        entries = [
            {"mediaType": KIND, "digest": each.digest, "size": len(each.content),
             "platform": {"os": "linux", "architecture": f"a{n}"}}
            for n, each in enumerate(children)
        ]  # fmt: skip
        body = Blob(
            INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
        )
        web.push(f"team/app{number}", "i", INDEX, body.digest, body.content)
        told = event(f"team/app{number}", "i", body.digest)
        told["target"]["mediaType"] = INDEX
        tell(told)
    processor.process_due(client(web))
    assert Tag.objects.filter(name="i").count() == 4
    assert not RepositoryManifest.objects.exclude(due_at=None).exists()


@pytest.mark.django_db
def test_reading_a_batch_ends_with_its_time(web: ModelRegistry, settings: Any) -> None:
    settings.EVENT_TURN = 0.0
    factories.Namespace.objects.update(created_at=NOON - timedelta(days=1))
    many = 3 * batch.FETCHED_AT_ONCE
    tell(*(event("team/app", f"v{n}", push(web, "team/app", f"v{n}", n), n) for n in range(many)))
    with leases.hold(processor.LEASE) as lease:
        assert lease
        queue, registry = EventQueue(), client(web)
        together = batch.BatchApplier(registry, lease)
        refresh.store_manifest("team/app", content(0).digest, registry)
        assert together.note_answer()
        left = together.apply(queue.next(), queue, by_themselves=set())
    assert Tag.objects.count() == 1 + batch.FETCHED_AT_ONCE
    assert len(left) == many - 1 - batch.FETCHED_AT_ONCE


@pytest.mark.django_db
def test_a_crashed_batch_marks_nothing_that_was_not_due() -> None:
    now = timezone.now()
    rows = [
        Event.objects.create(
            event_id=str(n), action="push", namespace="team", due_at=now + timedelta(seconds=wait)
        )
        for n, wait in enumerate((-1, 9, -1))
    ]
    WorkerCrash.objects.create(
        account_id=None, repository="", item=f"events {rows[0].pk}-{rows[2].pk}", at=now
    )
    batch.single_out_crashed()
    assert set(Event.objects.exclude(problem="").values_list("event_id", flat=True)) == {"0", "2"}


@pytest.mark.django_db
def test_a_registry_that_drops_conditions_is_asked_about_each_tag_once(known: ModelRegistry) -> None:
    tell(*pushes(known, 20, 1))
    processor.process_due(client(known))
    due()
    known.asked.clear()
    original = type(known)._manifest
    known._manifest = lambda repository, reference, _condition: original(known, repository, reference, "")
    processor.process_due(client(known))
    assert len(known.asked) == 20
