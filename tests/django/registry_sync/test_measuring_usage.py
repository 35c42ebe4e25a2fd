"""When the bytes of images are counted anew: soon after something came or went, and not without need."""

import zlib
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg.errors import QueryCanceled

from accounts.principal import SYSTEM
from namespaces import usage
from namespaces.models import Descriptor, Image, Manifest, RepositoryManifest, TagHistoryEntry
from namespaces.services import namespaces
from registry_sync import heartbeats
from registry_sync.inventory import manifest_weights, uncollected
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


def test_a_manifest_that_went_without_a_tag_is_counted(image: Image) -> None:
    revision = push(image, 100)
    RepositoryManifest.objects.update(first_seen_at=timezone.now() - timedelta(minutes=1))
    Manifest.objects.update(body_bytes=7)
    measure_usage()
    later()
    assert not counts_anew()
    RepositoryManifest.objects.filter(pk=revision.pk).update(gone_at=timezone.now())
    measure_usage()
    assert Image.objects.get(pk=image.pk).uncollected_bytes == 107


def test_after_garbage_collection_it_is_counted_at_once(image: Image) -> None:
    RepositoryManifest.objects.filter(pk=push(image, 100).pk).update(gone_at=timezone.now())
    measure_usage()
    later()
    uncollected.note_collected(until=timezone.now())
    measure_usage()
    assert Image.objects.get(pk=image.pk).uncollected_bytes == 0


@pytest.mark.parametrize("in_turns", [False, True])
def test_an_account_whose_last_namespace_was_deleted_and_collected_has_nothing(
    image: Image, in_turns: bool
) -> None:
    account = image.namespace.account
    RepositoryManifest.objects.filter(pk=push(image, 100).pk).update(gone_at=timezone.now())
    namespaces.delete(by=SYSTEM, namespace=image.namespace, confirmation=image.namespace.name)
    measure_usage()
    assert usage.newest(account).uncollected_bytes == 100
    later()
    uncollected.note_collected(until=timezone.now())
    with statements.before("of_account", *([_takes_too_long] if in_turns else [])):
        measure_usage()
    assert usage.newest(account).uncollected_bytes == 0


def _takes_too_long() -> None:
    raise statements.caused_by(QueryCanceled())


def test_manifests_of_an_older_build_are_weighed_first(image: Image) -> None:
    revision = push(image, 100)
    Manifest.objects.update(body_zlib=zlib.compress(b"{" + b" " * 40 + b"}"), body_bytes=None)
    measure_usage()
    assert Image.objects.get(pk=image.pk).stored_bytes == 142
    later()
    RepositoryManifest.objects.update(first_seen_at=timezone.now() - timedelta(minutes=1))
    Manifest.objects.update(body_zlib=b"", body_bytes=None)  # too long to be kept
    index = factories.ManifestFactory(body_bytes=9)
    Descriptor.objects.create(manifest=index, kind="manifest", digest=revision.manifest_id, size=50)
    ago(Marker.USAGE, timedelta(minutes=1))
    assert counts_anew()
    assert Image.objects.get(pk=image.pk).stored_bytes == 150


def test_a_thousand_manifests_are_weighed_in_pieces(image: Image) -> None:
    for number in range(3):
        push(image, number)
    Manifest.objects.update(body_bytes=None)
    assert [manifest_weights.weigh(most, batch=2) for most in (2, 10, 10)] == [2, 1, 0]


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
    with statements.before("of_account", lambda: again.append(counts_anew())):
        assert counts_anew()
    assert again == [False]


def test_it_rests_also_after_a_count_that_the_database_broke_off() -> None:
    began = timezone.now()
    with statements.failing("of_account", OperationalError("canceling statement due to statement timeout")):
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
