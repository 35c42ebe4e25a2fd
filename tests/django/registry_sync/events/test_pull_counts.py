"""Since when the registry tells of pulls: what rules that go by pulls stand on."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from namespaces.models import Image, Tag, TagHistoryEntry
from registry_sync import heartbeats
from registry_sync.client import RegistryClient
from registry_sync.events import pull_counts, views
from registry_sync.events.processor import process_due
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from registry_sync.models import Event, Marker, Repository
from registry_sync.tokens.issuer import PANEL_SUBJECT
from tests import factories
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db

KIND = "application/vnd.oci.image.manifest.v1+json"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def image(db: None) -> None:
    made = factories.ImageFactory(namespace__name="team", name="app")
    Repository.objects.create(name="team/app", image=made)


def pull(hours: float, actor: str = "ci", **more: str) -> Event:
    at = START + timedelta(hours=hours)
    return Event(action="pull", repository="team/app", tag="1.0", actor=actor, received_at=at, **more)


def told() -> tuple[float, float] | None:
    """Hours after the start: since when, and when last."""
    since, last = heartbeats.last(Marker.PULLS_SINCE), heartbeats.last(Marker.PULLS)
    hour = timedelta(hours=1)
    return ((since - START) / hour, (last - START) / hour) if since and last else None


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([[0]], (0, 0)),
        ([[0], [96], [190]], (0, 190)),
        ([[0, 96, 190]], (0, 190)),
        ([[190, 0, 96]], (0, 190)),
        ([[0], [96.5]], (96.5, 96.5)),
        ([[0, 96.5, 100]], (96.5, 100)),
        ([[0], [100], [150]], (100, 150)),
        ([[10], [0]], (10, 10)),  # late: applied after what came later
    ],
)
def test_since_when_is_from_the_last_gap(batches: list[list[float]], expected: tuple[float, float]) -> None:
    for batch in batches:
        pull_counts.count([pull(hours) for hours in batch])
    assert told() == expected


def test_the_panels_own_blobs_and_unknown_repositories_prove_nothing() -> None:
    stranger = pull(0)
    stranger.repository = "nobody/knows"
    pull_counts.count([pull(0, PANEL_SUBJECT), pull(0, media_type="application/octet-stream"), stranger])
    assert told() is None
    pull_counts.count([pull(1, "")])  # anonymous
    assert told() == (1, 1)


def test_a_tag_that_comes_back_was_pulled_before() -> None:
    image, digest = Image.objects.get(), factories.ManifestFactory().digest

    def point(tag: str, at: str, hours: float) -> Tag | None:
        write_tag_changes(
            image, [TagChange(tag, at, START + timedelta(hours=hours))], how=TagHistoryEntry.How.EVENT
        )
        return Tag.objects.filter(name=tag).first()

    assert point("1.0", digest, 0)
    pull_counts.count([pull(1), pull(2, actor="other"), pull(3)])
    assert not point("1.0", "", 4)
    back, other = point("1.0", digest, 5), point("2.0", digest, 5)
    assert back
    assert (back.pull_count, back.pulled_at) == (3, START + timedelta(hours=3))
    assert other
    assert (other.pull_count, other.last_pulled_at) == (0, None)


class TestBesideTheFirstPush:
    """An image that nobody has heard of is pushed, and pulled, before the worker looks."""

    @pytest.fixture
    def registry(self, image: None) -> Iterator[ModelRegistry]:
        made = ModelRegistry()
        blob = Blob(KIND, b"{}")
        made.push("team/new", "1.0", KIND, blob.digest, blob.content)
        self.take("push", digest=blob.digest)
        self.take("pull", digest=blob.digest)
        yield made
        made.stop()

    @staticmethod
    def take(action: str, **target: str) -> None:
        target = {"repository": "team/new", "tag": "1.0", "mediaType": KIND, **target}
        request = {"method": "GET" if action == "pull" else "PUT"}
        event = {
            "id": action,
            "action": action,
            "target": target,
            "actor": {"name": "ci"},
            "request": request,
        }
        views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())

    def test_the_pull_is_counted(self, registry: ModelRegistry) -> None:
        process_due(RegistryClient(registry.url, lambda *_scope: "token"))
        assert Tag.objects.get(name="1.0").pull_count == 1
        assert not Event.objects.filter(action="pull").exclude(due_at=None).exists()

    def test_the_pull_is_counted_when_the_registry_was_away(self, registry: ModelRegistry) -> None:
        process_due(RegistryClient("http://localhost:1", lambda *_scope: "token"))
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())
        process_due(RegistryClient(registry.url, lambda *_scope: "token"))
        assert Tag.objects.get(name="1.0").pull_count == 1

    def test_the_pull_waits_while_the_push_does(self, registry: ModelRegistry) -> None:
        push, pull = Event.objects.get(action="push"), Event.objects.get(action="pull")
        assert pull_counts.of_unknown_images([pull]) == [pull]
        assert pull_counts.delay_until_after_push([pull]) == [pull]
        pull.refresh_from_db()
        assert pull.due_at
        assert push.due_at
        assert pull.due_at > push.due_at

    def test_of_what_nobody_owns_it_waits_for_nothing(self, registry: ModelRegistry) -> None:
        Event.objects.update(repository="nobody/new", namespace="nobody")
        process_due(RegistryClient(registry.url, lambda *_scope: "token"))
        assert not Event.objects.exclude(due_at=None).exists()
