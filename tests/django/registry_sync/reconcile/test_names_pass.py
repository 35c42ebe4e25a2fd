"""What runs when: full checks, and quick passes over the names while a large registry's full check rests."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from namespaces.models import Image, Tag
from registry_sync import selectors
from registry_sync.client import RegistryClient
from registry_sync.models import Drift, Marker, Repository, SyncRun
from registry_sync.reconcile.run import reconcile
from registry_sync.retention import preview
from tests import factories, statements
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    made = ModelRegistry()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _interval(settings: Any) -> None:
    settings.SYNC_INTERVAL_SECONDS = 10


def push(registry: ModelRegistry, tag: str, content: str) -> str:
    blob = Blob(KIND, json.dumps({"content": content}).encode())
    registry.push("team/app", tag, KIND, blob.digest, blob.content)
    return blob.digest


def sync(registry: ModelRegistry, *, when_due: bool = True) -> SyncRun | None:
    return reconcile(RegistryClient(registry.url, lambda *_scope: "token"), when_due=when_due)


def ended(*, ago: float, took: float, quick: bool = False, state: str = "done", **counts: int) -> SyncRun:
    """A run that began `ago` seconds ago."""
    began = timezone.now() - timedelta(seconds=ago)
    return SyncRun.objects.create(
        state=state,
        started_at=began,
        finished_at=began + timedelta(seconds=took),
        quick=quick,
        **counts,
    )


def what_is_due(registry: ModelRegistry) -> str:
    run = sync(registry)
    return "nothing" if run is None else "names" if run.quick else "full"


def test_nothing_was_ever_read(registry: ModelRegistry) -> None:
    assert what_is_due(registry) == "full"


@pytest.mark.parametrize(
    ("ago", "took", "due"),
    [
        (2, 1, "nothing"),
        (11, 1, "names"),
        (54, 1, "names"),
        (61, 1, "full"),  # a small registry is checked in full every minute
        (65, 60, "nothing"),  # a large one rests
        (71, 60, "names"),
        (590, 60, "names"),
        (601, 60, "full"),
    ],
)
def test_after_a_full_check(registry: ModelRegistry, ago: float, took: float, due: str) -> None:
    ended(ago=ago, took=took)
    assert what_is_due(registry) == due


@pytest.mark.parametrize(
    "found",
    [
        {"changes": 1},
        {"unreadable": 1},
        {"tags_needing_approval": 1},
        {"state": "incomplete"},
        {"state": "failed"},
    ],
)
def test_a_full_check_that_found_something_is_followed_by_another(
    registry: ModelRegistry, found: dict[str, Any]
) -> None:
    """As where no event tells anything, or until what was wrong is over."""
    ended(ago=11, took=1, **found)
    assert what_is_due(registry) == "full"


@pytest.mark.parametrize("state", ["done", "incomplete", "failed"])
def test_a_check_that_hung_keeps_the_next_no_longer_than_usual(registry: ModelRegistry, state: str) -> None:
    ended(ago=300, took=2)
    ended(ago=240, took=180, state=state)
    assert what_is_due(registry) == "full"


def test_a_registry_that_has_become_slow_is_left_alone(registry: ModelRegistry) -> None:
    for ago, took in ((900, 2), (800, 180), (195, 180)):
        ended(ago=ago, took=took)
    assert what_is_due(registry) == "names"


LOADED = {"requests": 200_000, "changes": 110_000}


def test_the_first_load_keeps_the_next_check_no_longer_than_it_takes(registry: ModelRegistry) -> None:
    ended(ago=650, took=641, **LOADED)
    assert what_is_due(registry) == "full"


def test_a_registry_in_which_all_moves_all_the_time_is_left_alone(registry: ModelRegistry) -> None:
    ended(ago=1300, took=641, **LOADED)
    ended(ago=655, took=641, **LOADED)
    assert what_is_due(registry) == "names"


def test_what_failed_at_once_says_nothing_of_a_check(registry: ModelRegistry) -> None:
    """It is tried again soon; and the check after that rests as ever."""
    ended(ago=400, took=60)
    ended(ago=12, took=1, state="failed")
    assert what_is_due(registry) == "full"
    SyncRun.objects.all().delete()
    ended(ago=800, took=60)
    ended(ago=500, took=1, state="failed")
    ended(ago=400, took=60)
    assert what_is_due(registry) == "names"


@pytest.mark.parametrize("took", [1, 60])
def test_the_registry_rests_after_each_check(registry: ModelRegistry, took: float) -> None:
    ended(ago=300, took=1)
    ended(ago=took + 2, took=took)
    assert what_is_due(registry) == "nothing"


@pytest.mark.parametrize(("ago", "took", "due"), [(20, 3, "nothing"), (31, 3, "names"), (11, 0.5, "names")])
def test_after_a_quick_pass(registry: ModelRegistry, ago: float, took: float, due: str) -> None:
    ended(ago=300, took=60)
    ended(ago=ago, took=took, quick=True)
    assert what_is_due(registry) == due


def test_who_asks_gets_a_full_check(registry: ModelRegistry) -> None:
    ended(ago=71, took=60)
    SyncRun.objects.create(requested_by="somebody")
    assert what_is_due(registry) == "full"


def test_a_quick_pass_asks_nothing_of_what_it_knows(registry: ModelRegistry) -> None:
    for tag in ("1", "2", "3"):
        push(registry, tag, "same")
    sync(registry)
    SyncRun.objects.all().delete()
    ended(ago=71, took=60)
    registry.asked.clear()
    run = sync(registry)
    assert run
    assert (run.quick, run.state, run.requests, run.changes) == (True, SyncRun.State.DONE, 2, 0)
    assert [path.split("?")[0] for path in registry.asked] == ["/v2/_catalog", "/v2/team/app/tags/list"]


def test_a_quick_pass_over_what_it_knows_asks_few_statements(registry: ModelRegistry) -> None:
    """It runs five times a minute while nobody uses the panel. The number may only fall."""
    push(registry, "1", "same")
    sync(registry)
    SyncRun.objects.all().delete()
    ended(ago=71, took=60)
    with statements.counted() as asked:
        run = sync(registry)
    assert run
    assert run.quick
    asked = [each for each in asked if "clock_timestamp" not in each]  # PostgreSQL says what time it is
    assert len(asked) <= 39, "\n".join(asked)


def test_a_quick_pass_finds_what_came_and_what_went_and_leaves_moves_to_the_next(
    registry: ModelRegistry,
) -> None:
    push(registry, "gone", "1")
    old = push(registry, "moved", "1")
    sync(registry)
    SyncRun.objects.all().delete()
    ended(ago=71, took=60)
    registry.untag("team/app", "gone")
    new, came = push(registry, "moved", "2"), push(registry, "came", "3")
    run = sync(registry)
    assert run
    assert run.quick
    assert dict(Tag.objects.values_list("name", "manifest_id")) == {"moved": old, "came": came}
    sync(registry, when_due=False)
    assert dict(Tag.objects.values_list("name", "manifest_id")) == {"moved": new, "came": came}


def test_a_quick_pass_asks_again_for_what_could_not_be_read(registry: ModelRegistry) -> None:
    digest = push(registry, "1", "1")
    sync(registry)
    SyncRun.objects.all().delete()
    ended(ago=71, took=60)
    Tag.objects.update(unreadable_since=timezone.now())
    run = sync(registry)
    assert run
    assert run.quick
    tag = Tag.objects.get()
    assert (tag.unreadable_since, tag.manifest_id) == (None, digest)


def test_a_quick_pass_is_no_full_check(registry: ModelRegistry) -> None:
    full = ended(ago=100, took=60)
    ended(ago=20, took=3, quick=True)
    line = selectors.freshness(timezone.now())
    (check,) = [part for part in line.parts if part.text == "last full check"]
    assert check.moment == full.finished_at
    assert line.state == "live"
    assert preview.load_evidence().checked_at == full.finished_at


def test_a_quick_pass_that_fails_is_seen_until_one_does_not(registry: ModelRegistry) -> None:
    ended(ago=100, took=60)
    ended(ago=20, took=3, quick=True, state="failed")
    assert selectors.freshness(timezone.now()).state == "failed"
    assert preview.load_evidence().check_failed
    ended(ago=10, took=3, quick=True)
    assert selectors.freshness(timezone.now()).state == "live"
    assert not preview.load_evidence().check_failed


def test_what_quick_passes_found_untold_is_counted_with_the_check_after_them(registry: ModelRegistry) -> None:
    Marker.objects.create(name=Marker.EVENTS, at=timezone.now())
    older = ended(ago=500, took=60, quick=True)
    ended(ago=400, took=60)
    quick = ended(ago=300, took=3, quick=True)
    ended(ago=200, took=60)
    for run in (older, quick):
        Drift.objects.create(
            run=run, repository="team/app", tag="1", found_at=timezone.now() - timedelta(hours=1)
        )
    line = selectors.freshness(timezone.now(), exact=True)
    assert [part.after for part in line.parts if part.text == "last full check"] == ["1 difference found"]


def test_a_quick_pass_takes_no_trouble_away(registry: ModelRegistry) -> None:
    """It asked nothing of most tags, so a rule must not take them for certain."""
    push(registry, "1", "1")
    sync(registry)
    SyncRun.objects.all().delete()
    Repository.objects.update(problem="its tags got no answer")
    ended(ago=71, took=60, state="incomplete")
    run = sync(registry)
    assert run
    assert run.quick
    assert preview.is_uncertain(Image.objects.get())
    sync(registry, when_due=False)
    assert not preview.is_uncertain(Image.objects.get())


def test_a_quick_pass_asks_for_what_is_listed_and_was_said_to_be_missing(registry: ModelRegistry) -> None:
    """The list alone is no answer to that."""
    digest = push(registry, "1", "1")
    sync(registry)
    SyncRun.objects.all().delete()
    ended(ago=71, took=60)
    Tag.objects.update(missing_since=timezone.now())
    registry.held["team/app"].discard(digest)  # a collection of garbage took it, and left the tag
    sync(registry)
    tag = Tag.objects.get()
    assert (tag.missing_since, tag.unreadable_since is None) == (None, False)


def test_what_a_check_found_untold_that_could_not_read_all_counts_too(registry: ModelRegistry) -> None:
    Marker.objects.create(name=Marker.EVENTS, at=timezone.now())
    ended(ago=400, took=60)
    partly = ended(ago=300, took=60, state="incomplete")
    Drift.objects.create(
        run=partly, repository="team/app", tag="1", found_at=timezone.now() - timedelta(hours=1)
    )
    ended(ago=200, took=60)
    assert selectors.freshness(timezone.now()).reason == "events_incomplete"
