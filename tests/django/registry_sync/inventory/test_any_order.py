"""What is said of an image is the same whatever was seen first: event or sync, platform or index, here or elsewhere."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from namespaces.models import Image, Manifest, RepositoryManifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.django.registry_sync.inventory.properties import PropertyTest, examples
from tests.parts import images
from tests.parts.images import CREATED, Blob
from tests.parts.model_registry import ModelRegistry

ONE, TWO = images.two_platforms()
INDEX = images.index([ONE, TWO])
OUTER = images.index_of(INDEX, ONE.manifest)
MANIFESTS: dict[str, Blob] = {"one": ONE.manifest, "two": TWO.manifest, "index": INDEX, "outer": OUTER}
BY_DIGEST = {blob.digest: name for name, blob in MANIFESTS.items()}
LISTED = {"index": ["one", "two"], "outer": ["index", "one"]}
CONFIGS = {"one": ONE.config, "two": TWO.config}
REPOSITORIES = ["red/app", "blue/app"]

REPOSITORY, NUMBER = st.sampled_from(REPOSITORIES), st.integers(0, 9)
STEP = st.one_of(
    st.tuples(st.just("push"), REPOSITORY, st.sampled_from(list(MANIFESTS)), st.booleans()),
    st.tuples(st.just("config"), REPOSITORY, st.sampled_from(list(CONFIGS))),
    st.tuples(st.sampled_from(["deliver", "lose"]), NUMBER),
    st.tuples(st.just("apply")),
    st.tuples(st.just("reconcile")),
    st.tuples(st.just("minutes_pass")),
)


def whole(repository: str) -> list[tuple[Any, ...]]:
    return [
        *[("config", repository, name) for name in CONFIGS],
        *[("push", repository, name, False) for name in ("one", "two", "index")],
        ("push", repository, "outer", True),
    ]


class World:
    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry
        self.sent: list[dict[str, Any]] = []
        self.events = 0

    def push(self, repository: str, name: str, tagged: bool) -> None:
        """The registry of this world lets an index in before what it lists."""
        blob, tag = MANIFESTS[name], {"tag": name} if tagged else {}
        if tagged:
            self.registry.push(repository, name, blob.media_type, blob.digest, blob.content)
        self.registry.hold(repository, blob.media_type, blob.digest, blob.content)
        self.events += 1
        self.sent.append({
            "id": f"event{self.events}", "action": "push", "timestamp": datetime.now(UTC).isoformat(),
            "target": {"mediaType": blob.media_type, "repository": repository, "digest": blob.digest, **tag},
        })  # fmt: skip

    def config(self, repository: str, name: str) -> None:
        self.registry.hold_blob(repository, CONFIGS[name].digest, CONFIGS[name].content)

    def deliver(self, number: int) -> None:
        if self.sent:
            event = self.sent.pop(number % len(self.sent))
            views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())

    def lose(self, number: int) -> None:
        if self.sent:
            self.sent.pop(number % len(self.sent))

    def apply(self) -> None:
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())
        process_due(RegistryClient(self.registry.url, lambda *_scope: "token"))

    def reconcile(self) -> None:
        reconcile(RegistryClient(self.registry.url, lambda *_scope: "token"))

    def minutes_pass(self) -> None:
        RepositoryManifest.objects.exclude(due_at=None).update(due_at=timezone.now())

    # What is true.

    def there(self, repository: str) -> set[str]:
        """All that its tags lead to, and that it holds."""
        found, left = set[str](), list(self.registry.repositories.get(repository, {}))
        while left:
            name = left.pop()
            if name not in found and MANIFESTS[name].digest in self.registry.held[repository]:
                found.add(name)
                left += LISTED.get(name, [])
        return found

    def check(self) -> None:
        noted: dict[str, set[str]] = {}
        for image in Image.objects.select_related("namespace"):
            held = RepositoryManifest.objects.filter(image=image, gone_at=None).values_list(
                "manifest_id", flat=True
            )
            noted[image.repository] = {BY_DIGEST[digest] for digest in held}
            assert {MANIFESTS[name].digest for name in noted[image.repository]} <= self.registry.held[
                image.repository
            ]
        for repository in REPOSITORIES:
            assert self.there(repository) <= noted.get(repository, set())
        known = set().union(*noted.values())
        read = {
            name
            for name, config in CONFIGS.items()
            for repository in REPOSITORIES
            if name in noted.get(repository, ()) and config.digest in self.registry.blobs.get(repository, {})
        }
        for name in known:
            row = Manifest.objects.get(digest=MANIFESTS[name].digest)
            assert (row.size, row.created_at) == (size(name, known), created(name, known, read)), name
            if name in LISTED:
                told = [(each["digest"], each["size"]) for each in row.platforms]
                there = {each: size(each, known) if each in known else None for each in LISTED[name]}
                assert told == [(MANIFESTS[each].digest, octets) for each, octets in there.items()]
            else:
                assert [each["platform"] for each in row.platforms] == platform(name, read)
        for tag in Tag.objects.select_related("image"):
            assert (tag.size, tag.image.size) == (size(tag.name, known), newest_size(tag.image))


def size(name: str, known: set[str]) -> int:
    if name not in known:
        return 0
    if name in LISTED:
        return sum(size(each, known) for each in LISTED[name])
    image = {"one": ONE, "two": TWO}[name]
    return sum(len(blob.content) for blob in (*image.layer_blobs, image.config))


def created(name: str, known: set[str], read: set[str]) -> datetime | None:
    if name in LISTED:
        below = [created(each, known, read) for each in LISTED[name] if each in known]
        return max(filter(None, below), default=None)
    return datetime.fromisoformat(CREATED) if name in read else None


def platform(name: str, read: set[str]) -> list[str]:
    return [{"one": "linux/amd64", "two": "linux/arm64"}[name]] if name in read else []


def newest_size(image: Image) -> int:
    newest = Tag.objects.filter(image=image).order_by("-pushed_at", "-id").first()
    return newest.size if newest else 0


class AnyOrder(PropertyTest):
    def setup_example(self) -> None:
        super().setup_example()
        for name in ("red", "blue"):
            factories.NamespaceFactory(name=name)

    @settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(STEP, max_size=20))
    @example([*whole("red/app"), ("reconcile",)])
    @example([*whole("red/app"), *[("deliver", 0), ("apply",)] * 4])
    @example([*whole("red/app"), *[("deliver", 9), ("apply",)] * 4])
    @example([("push", "red/app", "index", True), ("reconcile",), *whole("blue/app"), ("reconcile",)])
    @example([*whole("blue/app"), ("reconcile",), ("push", "red/app", "index", True), ("reconcile",)])
    @example([*whole("blue/app"), ("push", "red/app", "index", True), ("reconcile",)])
    @example([("push", "red/app", "one", True), ("reconcile",), *whole("blue/app"), ("reconcile",)])
    @example([("push", "red/app", "index", True), ("reconcile",), *whole("red/app"), ("minutes_pass",)])
    def test_ends_in_the_same_truth(self, steps: list[tuple[Any, ...]]) -> None:
        world = World(self.registry)
        for step in steps:
            getattr(world, step[0])(*step[1:])
        Event.objects.update(received_at=timezone.now() - timedelta(hours=1))  # none is new any more
        for _each in range(3):  # as deep as they lie in each other
            world.minutes_pass()
            world.reconcile()
        world.check()
