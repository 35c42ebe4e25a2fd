"""Whatever an event told of a tag is in its history, once, in its place and with who did it."""

import json
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.principal import SYSTEM
from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry, WebhookDelivery
from namespaces.services import webhooks
from registry_sync.deletion import history
from registry_sync.events import views
from registry_sync.models import Event
from tests import factories
from tests.django.registry_sync.inventory.properties import PropertyTest, examples
from tests.django.registry_sync.inventory.test_any_interleaving import KIND, World
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

REPOSITORY, USERS = "team/a", ["abcdefghijkl", "mnopqrstuvwx"]
Line = tuple[str, str]  # digest, "" when it went; and by whom

BY, TAG = st.sampled_from(USERS), st.sampled_from(["1", "2"])
STEP = st.one_of(
    st.tuples(st.just("push_new"), TAG, BY),
    st.tuples(st.just("push_new"), TAG, BY),
    st.tuples(st.just("delete_tagged"), TAG, BY),
    st.tuples(st.just("untag_by"), TAG, BY),
    st.tuples(st.just("deliver"), st.just(0)),
    st.tuples(st.just("deliver"), st.integers(0, 1)),
    st.tuples(st.just("apply")),
    st.tuples(st.just("reconcile")),
)


class Told(World):
    """Remembers what was told, in the order in which it happened. No content is pushed twice."""

    def __init__(self, registry: ModelRegistry) -> None:
        super().__init__(registry)
        self.lines: dict[str, list[Line]] = {"1": [], "2": []}
        self.by = ""

    def push_new(self, tag: str, by: str) -> str:
        self.by = by
        self.push(REPOSITORY, tag, self.events)
        digest = self.registry.repositories[REPOSITORY][tag]
        self.lines[tag].append((digest, by))
        return digest

    def delete_tagged(self, tag: str, by: str) -> None:
        """By digest, as clients do: the registry tells of the digest, and of its tag."""
        digest = self.registry.repositories.get(REPOSITORY, {}).get(tag)
        if digest:
            self.by = by
            self._tell("delete", REPOSITORY, digest=digest)
            self._tell("delete", REPOSITORY, tag=tag)
            self.registry.delete(REPOSITORY, digest)
            self.lines[tag].append(("", by))

    def untag_by(self, tag: str, by: str) -> None:
        if tag in self.registry.repositories.get(REPOSITORY, {}):
            self.by = by
            self.untag(REPOSITORY, tag)
            self.lines[tag].append(("", by))

    def _tell(self, action: str, repository: str, **target: str) -> None:
        super()._tell(action, repository, **target)
        self.sent[-1]["actor"] = {"name": self.by}

    def deliver_all(self) -> None:
        while self.sent:
            self.deliver(0)

    def settle(self) -> None:
        self.deliver_all()
        while Event.objects.exclude(due_at=None).exists():
            self.apply()


def written(tag: str) -> list[Line]:
    moves = list(TagHistoryEntry.objects.filter(tag=tag).order_by("at", "id"))
    assert [move.old for move in moves] == ["", *(move.new for move in moves)][: len(moves)]  # a chain
    return [(move.new, move.by) for move in moves]


class TestHistory(PropertyTest):
    def setup_example(self) -> None:
        super().setup_example()
        account = factories.NamespaceFactory(name="team").account
        types = ["image.pushed", "tag.deleted"]
        url = "https://hooks.example.com"
        webhooks.create(by=SYSTEM, account=account, url=url, format="cloudevents", event_types=types)

    @settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, max_size=14))
    def test_is_what_was_told_whatever_else_was_quicker(self, steps: list[tuple[Any, ...]]) -> None:
        told = Told(self.registry)
        for step in steps:
            told.do(step)
        told.settle()
        assert {tag: written(tag) for tag in told.lines} == told.lines
        for row in Tag.objects.all():
            assert (row.manifest_id, row.pushed_by) == told.lines[row.name][-1]
        messages = WebhookDelivery.objects.order_by("history_id").values_list("history_id", flat=True)
        assert list(messages) == list(TagHistoryEntry.objects.order_by("pk").values_list("pk", flat=True))

    def test_of_many_pushes_of_one_tag_is_whole_where_a_confirmation_was_quicker(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.settle()
        for number in range(20):
            told.push_new("1", USERS[number % 2])
        told.deliver(0)
        told.apply()
        told.apply()  # asks the registry, which is 19 pushes ahead of what it told
        told.settle()
        assert written("1") == told.lines["1"]

    def test_a_deletion_that_was_told_before_its_push_is_in_it(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.untag_by("1", USERS[0])
        told.push_new("1", USERS[1])
        told.deliver(1)
        told.apply()
        told.settle()
        assert written("1") == told.lines["1"]

    def test_so_is_one_whose_push_was_told_when_all_of_it_was_gone(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.delete_tagged("1", USERS[0])
        told.deliver(0)
        told.apply()
        told.apply()
        told.push_new("1", USERS[1])
        told.settle()
        assert written("1") == told.lines["1"]

    def test_so_is_one_that_was_told_when_a_sync_had_found_what_came_after_it(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.untag_by("1", USERS[0])
        told.deliver(1)
        told.push_new("1", USERS[1])
        told.reconcile()
        told.apply()
        told.settle()
        assert written("1") == told.lines["1"]

    def test_what_was_told_late_can_be_put_back(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.settle()
        late, last = told.push_new("1", USERS[0]), told.push_new("1", USERS[1])
        told.reconcile()
        told.settle()
        image = Image.objects.get()
        rows = history.rows_of(image, history.entries_of(image))
        assert [row.entry.new for row in rows][:2] == [last, late]
        assert rows[0].restorable_digest == late
        assert RepositoryManifest.objects.get(manifest=late).gone_at is None

    def test_offers_not_what_was_deleted_before_it_was_told(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.delete_tagged("1", USERS[1])
        last = told.push_new("1", USERS[0])
        told.settle()
        image = Image.objects.get()
        rows = history.rows_of(image, history.entries_of(image))
        assert [(row.entry.new, row.restorable_digest) for row in rows][:2] == [(last, ""), ("", "")]

    def test_of_the_same_content_that_went_and_came_again(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.settle()
        digest = Tag.objects.get().manifest_id
        told.untag_by("1", USERS[1])
        blob = Blob(KIND, self.registry.content[digest][1])
        told.by = USERS[0]
        told._tell("push", REPOSITORY, tag="1", digest=digest)
        self.registry.push(REPOSITORY, "1", KIND, blob.digest, blob.content)
        told.settle()
        assert written("1") == [*told.lines["1"], (digest, USERS[0])]
        assert Tag.objects.get().pushed_by == USERS[0]

    def test_of_what_lives_says_nothing_of_its_deletion(self) -> None:
        """However an event says so, when nothing else does."""
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.settle()
        told._tell("delete", REPOSITORY, tag="1")
        told.settle()
        assert written("1") == told.lines["1"]

    def test_of_another_namespace_of_that_name_is_not_this_ones(self) -> None:
        factories.NamespaceFactory(name="team")
        told = Told(self.registry)
        told.push_new("1", USERS[0])
        told.settle()
        event = {
            "id": "old",
            "action": "push",
            "timestamp": datetime(1999, 1, 1, tzinfo=UTC).isoformat(),
            "target": {"repository": REPOSITORY, "tag": "1", "digest": factories.digest_of("old")},
            "actor": {"name": USERS[1]},
        }
        views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
        told.settle()
        assert written("1") == told.lines["1"]
