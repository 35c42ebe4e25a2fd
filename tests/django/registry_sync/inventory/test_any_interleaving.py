"""Whatever happens in whatever order, one clean reconcile later the inventory is the registry."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from namespaces.models import Image, Tag
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event, SyncRun
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.django.registry_sync.inventory.properties import PropertyTest, examples
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

KIND = "application/vnd.oci.image.manifest.v1+json"
REPOSITORIES, TAGS = ["team/a", "team/b"], ["1", "2", "3"]
Inventory = set[tuple[str, str, str]]

REPOSITORY, TAG = st.sampled_from(REPOSITORIES), st.sampled_from(TAGS)
CONTENT, NUMBER = st.integers(0, 3), st.integers(0, 9)
CHANGE = st.one_of(
    st.tuples(st.just("push"), REPOSITORY, TAG, CONTENT),
    st.tuples(st.just("push_slowly"), REPOSITORY, TAG, CONTENT),
    st.tuples(st.just("delete"), REPOSITORY, CONTENT),
    st.tuples(st.just("untag"), REPOSITORY, TAG),
    st.tuples(st.just("link")),
)
STEP = st.one_of(
    CHANGE,
    st.tuples(st.sampled_from(["deliver", "double", "lose"]), NUMBER),
    st.tuples(st.just("apply")),
    st.tuples(st.just("reconcile")),
    st.tuples(st.just("quick_pass")),
    st.tuples(st.just("reconcile_while"), st.integers(1, 8), CHANGE),
)


class World:
    """The model registry, the events that it has sent and nobody has delivered yet, and our side of it."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry
        self.sent: list[dict[str, Any]] = []
        self.unlinked: list[Callable[[], None]] = []
        self.events = 0

    # What clients do.

    def push(self, repository: str, tag: str, content: int) -> None:
        blob = Blob(KIND, json.dumps({"n": content}).encode())
        self._tell("push", repository, tag=tag, digest=blob.digest)
        self.registry.push(repository, tag, KIND, blob.digest, blob.content)

    def push_slowly(self, repository: str, tag: str, content: int) -> None:
        """The registry tells of a push before it writes the tag."""
        blob = Blob(KIND, json.dumps({"n": content}).encode())
        self._tell("push", repository, tag=tag, digest=blob.digest)
        self.registry.hold(repository, KIND, blob.digest, blob.content)
        self.unlinked.append(lambda: self.registry.push(repository, tag, KIND, blob.digest, blob.content))

    def link(self) -> None:
        if self.unlinked:
            self.unlinked.pop(0)()

    def delete(self, repository: str, content: int) -> None:
        digest = Blob(KIND, json.dumps({"n": content}).encode()).digest
        if digest in self.registry.held.get(repository, ()):
            self._tell("delete", repository, digest=digest)
            for tag, each in self.registry.repositories[repository].items():
                if each == digest:
                    self._tell("delete", repository, tag=tag)
            self.registry.delete(repository, digest)

    def untag(self, repository: str, tag: str) -> None:
        if tag in self.registry.repositories.get(repository, {}):
            self.registry.untag(repository, tag)
            self._tell("delete", repository, tag=tag)

    def _tell(self, action: str, repository: str, **target: str) -> None:
        self.events += 1
        self.sent.append(
            {
                "id": f"event{self.events}",
                "action": action,
                "timestamp": datetime.now(UTC).isoformat(),
                "target": {"mediaType": KIND, "repository": repository, **target},
            }
        )

    # What becomes of the events.

    def deliver(self, number: int) -> None:
        if self.sent:
            self._take(self.sent.pop(number % len(self.sent)))

    def double(self, number: int) -> None:
        if self.sent:
            self._take(self.sent[number % len(self.sent)])

    def lose(self, number: int) -> None:
        if self.sent:
            self.sent.pop(number % len(self.sent))

    def _take(self, event: dict[str, Any]) -> None:
        views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())

    # What the worker does.

    def apply(self) -> None:
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())  # time passes
        process_due(self._client())

    def reconcile(self) -> SyncRun:
        run = reconcile(self._client())
        assert run
        return run

    def quick_pass(self) -> None:
        SyncRun.objects.create(quick=True)
        assert self.reconcile().quick

    def reconcile_while(self, requests: int, change: tuple[Any, ...]) -> None:
        """The change happens when so many questions were answered."""
        self.registry.after(requests, lambda: self.do(change))
        self.reconcile()
        self.registry.after(0, None)

    def do(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])

    def _client(self) -> RegistryClient:
        return RegistryClient(self.registry.url, lambda *_scope: "token")

    # What is true.

    def truth(self) -> Inventory:
        named = self.registry.repositories.items()
        return {(repository, tag, digest) for repository, tags in named for tag, digest in tags.items()}


def inventory() -> Inventory:
    rows = Tag.objects.select_related("image__namespace")
    return {(row.image.repository, row.name, row.manifest_id) for row in rows}


def names(some: Inventory) -> set[tuple[str, str]]:
    return {(repository, tag) for repository, tag, _digest in some}


class AnyInterleaving(PropertyTest):
    def setup_example(self) -> None:
        super().setup_example()
        factories.NamespaceFactory(name="team")

    @settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, max_size=14))
    def test_ends_in_the_true_state_and_never_takes_away_what_is_there(
        self, steps: list[tuple[Any, ...]]
    ) -> None:
        world = World(self.registry)
        for step in steps:
            before, true_before = inventory(), world.truth()
            world.do(step)
            there_all_along = names(before) & names(true_before) & names(world.truth())
            assert there_all_along <= names(inventory()), (step, there_all_along - names(inventory()))
        while world.unlinked:
            world.link()
        Event.objects.update(received_at=timezone.now() - timedelta(hours=1))  # none is new any more
        assert world.reconcile().state == SyncRun.State.DONE
        assert inventory() == world.truth()
        for image in Image.objects.all():
            assert image.tag_count == image.tags.count()
        again = world.reconcile()
        assert (again.changes, again.drifts.count()) == (0, 0)
