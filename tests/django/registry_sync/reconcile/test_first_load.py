"""Many repositories that are new: read, and written a few hundred tags at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.client import RegistryClient, RepositoryTags
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile import writer
from registry_sync.reconcile.planner import Plan
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts.images import Image as ImageContent
from tests.parts.model_registry import ModelRegistry

REPOSITORIES, TAGS = 12, 5
CONTENT = ImageContent()


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    made = ModelRegistry()
    yield made
    made.stop()


def fill(registry: ModelRegistry, repositories: int = REPOSITORIES) -> None:
    manifest = CONTENT.manifest
    for number in range(repositories):
        name = f"team/app{number}"
        registry.hold_blob(name, CONTENT.config.digest, CONTENT.config.content)
        for tag in range(TAGS):
            registry.push(name, f"v{tag}", manifest.media_type, manifest.digest, manifest.content)


def sync(registry: ModelRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, lambda *_scope: "token"))
    assert run
    assert run.state == SyncRun.State.DONE, run.problem
    return run


def statements(registry: ModelRegistry) -> int:
    with CaptureQueriesContext(connection) as captured:
        sync(registry)
    return len(captured)


@pytest.mark.django_db
def test_all_is_there_as_if_each_were_read_alone(registry: ModelRegistry) -> None:
    fill(registry)
    assert sync(registry).changes == REPOSITORIES * (2 + TAGS)  # found, assigned, and each tag
    for image in Image.objects.all():
        newest = image.tags.order_by(*Tag.NEWEST_FIRST)[0]
        assert sorted(image.tags.values_list("name", flat=True)) == [f"v{n}" for n in range(TAGS)]
        assert (image.tag_count, image.latest_tag, image.size) == (TAGS, newest.name, newest.size)
        assert image.pushed_at == newest.pushed_at
        assert image.newest_history_id == image.tag_history.latest("id").pk
    assert TagHistoryEntry.objects.filter(old="", new=CONTENT.digest).count() == REPOSITORIES * TAGS
    assert RepositoryManifest.objects.count() == REPOSITORIES
    assert set(Repository.objects.values_list("version", flat=True)) == {1}
    assert sync(registry).changes == 0


@pytest.mark.django_db
def test_a_repository_more_costs_no_statement(registry: ModelRegistry) -> None:
    fill(registry, 1)
    statements(registry)
    Repository.objects.all().delete()
    Image.objects.all().delete()
    one = statements(registry)
    Repository.objects.all().delete()
    Image.objects.all().delete()
    fill(registry)
    assert statements(registry) <= one + 2


@pytest.mark.django_db
def test_what_moves_is_written_alone_and_new_tags_together(registry: ModelRegistry) -> None:
    fill(registry)
    sync(registry)
    known = writer.stored_repositories(Repository.objects.values_list("name", flat=True))
    moved, *new = [
        writer.Difference(RepositoryTags(name), each, Plan(add=["new"] * 200)) for name, each in known.items()
    ]
    moved.changes.move.append("v1")
    batches = list(writer.together([moved, *new]))
    assert [len(batch) for batch in batches] == [1, 2, 2, 2, 2, 2, 1]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Another writer has its row."""
    begun, over = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Repository.objects.select_for_update().get(name=name)
            begun.set()
            over.wait(120)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert begun.wait(120)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
def test_a_repository_that_another_writes_is_left_for_later(registry: ModelRegistry) -> None:
    fill(registry)
    sync(registry)
    Tag.objects.all().delete()
    known = writer.stored_repositories(Repository.objects.values_list("name", flat=True))
    differences = [
        writer.Difference(RepositoryTags(name, digests={"v0": CONTENT.digest}), each, Plan(add=["v0"]))
        for name, each in known.items()
    ]
    with locked("team/app3"):
        written = writer.write_changes(differences, timezone.now())
    assert {each.read.repository for each in written} == known.keys() - {"team/app3"}
