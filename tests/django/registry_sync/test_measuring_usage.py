"""When the bytes of images are counted anew: soon after something came or went, and not without need."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from namespaces import usage
from namespaces.models import Descriptor, Image, RepositoryManifest, TagHistoryEntry
from registry_sync import heartbeats
from registry_sync.models import Marker
from registry_sync.tasks import COUNT_MAX, measure_usage
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each count, which is done for real."""
    done: list[int] = []
    measure = usage.measure

    def counted(*days: object) -> None:
        done.append(len(done))
        measure(*days)  # type: ignore[arg-type]

    monkeypatch.setattr(usage, "measure", counted)
    return done


@pytest.fixture
def image() -> Image:
    made: Image = factories.ImageFactory()
    return made


def push(image: Image, size: int) -> RepositoryManifest:
    manifest = factories.ManifestFactory()
    Descriptor.objects.create(
        manifest=manifest, kind="layer", digest=factories.digest_of(str(size)), size=size
    )
    return RepositoryManifest.objects.create(image=image, manifest=manifest)


def ago(name: str, time: timedelta) -> None:
    Marker.objects.filter(name=name).update(at=timezone.now() - time)


def later() -> None:
    """The rest after a count is over, and what comes now comes after it."""
    ago(Marker.USAGE_REST, timedelta(seconds=1))


def test_a_push_is_counted_at_the_next_look(image: Image, counts: list[int]) -> None:
    measure_usage()
    later()
    push(image, 100)
    measure_usage()
    assert Image.objects.get(pk=image.pk).stored_bytes == 100
    assert len(counts) == 2


def test_what_went_is_counted_too(image: Image, counts: list[int]) -> None:
    revision = push(image, 100)
    measure_usage()
    later()
    RepositoryManifest.objects.filter(pk=revision.pk).update(gone_at=timezone.now())
    TagHistoryEntry.objects.create(
        image=image, tag="latest", old=revision.manifest_id, how=TagHistoryEntry.How.EVENT
    )
    measure_usage()
    assert Image.objects.get(pk=image.pk).stored_bytes == 0


def test_nothing_new_is_not_counted_within_the_hour(image: Image, counts: list[int]) -> None:
    RepositoryManifest.objects.filter(pk=push(image, 100).pk).update(
        first_seen_at=timezone.now() - timedelta(minutes=1)
    )
    measure_usage()
    later()
    measure_usage()
    assert len(counts) == 1
    ago(Marker.USAGE, timedelta(hours=1))
    measure_usage()
    assert len(counts) == 2


def test_it_rests_after_a_long_count(image: Image, counts: list[int]) -> None:
    measure_usage()
    Marker.objects.filter(name=Marker.USAGE_REST).update(at=timezone.now() + timedelta(minutes=5))
    push(image, 100)
    measure_usage()
    assert len(counts) == 1


def test_one_at_a_time(counts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule comes again while a long count lasts."""
    measure = usage.measure

    def long(*days: object) -> None:
        if len(counts) < 3:
            measure_usage()
        measure(*days)  # type: ignore[arg-type]

    monkeypatch.setattr(usage, "measure", long)
    measure_usage()
    assert len(counts) == 1


def test_it_rests_also_after_a_count_that_the_database_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_days: object) -> None:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(usage, "measure", broken)
    began = timezone.now()
    measure_usage()
    rest = heartbeats.last(Marker.USAGE_REST)
    assert rest
    assert began < rest < began + COUNT_MAX
    assert heartbeats.last(Marker.USAGE) is None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite breaks no statement off.")
def test_it_has_more_time_than_a_page() -> None:
    usage.measure(timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5min",)
