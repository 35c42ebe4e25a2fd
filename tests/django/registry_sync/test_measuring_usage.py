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
from tests import factories, statements

pytestmark = pytest.mark.django_db


def counts_anew() -> bool:
    before = heartbeats.last(Marker.USAGE)
    measure_usage()
    return heartbeats.last(Marker.USAGE) != before


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


def test_a_push_is_counted_at_the_next_look(image: Image) -> None:
    assert counts_anew()
    later()
    push(image, 100)
    assert counts_anew()
    assert Image.objects.get(pk=image.pk).stored_bytes == 100


def test_what_went_is_counted_too(image: Image) -> None:
    revision = push(image, 100)
    measure_usage()
    later()
    RepositoryManifest.objects.filter(pk=revision.pk).update(gone_at=timezone.now())
    TagHistoryEntry.objects.create(
        image=image, tag="latest", old=revision.manifest_id, how=TagHistoryEntry.How.EVENT
    )
    measure_usage()
    assert Image.objects.get(pk=image.pk).stored_bytes == 0


def test_nothing_new_is_not_counted_within_the_hour(image: Image) -> None:
    RepositoryManifest.objects.filter(pk=push(image, 100).pk).update(
        first_seen_at=timezone.now() - timedelta(minutes=1)
    )
    assert counts_anew()
    later()
    assert not counts_anew()
    ago(Marker.USAGE, timedelta(hours=1))
    assert counts_anew()


def test_it_rests_after_a_long_count(image: Image) -> None:
    measure_usage()
    Marker.objects.filter(name=Marker.USAGE_REST).update(at=timezone.now() + timedelta(minutes=5))
    push(image, 100)
    assert not counts_anew()


def test_one_at_a_time() -> None:
    """The schedule comes again while a long count lasts."""
    again: list[bool] = []
    with statements.before("SUM(size)", lambda: again.append(counts_anew())):
        assert counts_anew()
    assert again == [False]


def test_it_rests_also_after_a_count_that_the_database_broke_off() -> None:
    began = timezone.now()
    with statements.failing("SUM(size)", OperationalError("canceling statement due to statement timeout")):
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
