"""Labels are kept beside their manifests to be found by; and the index that may be refused."""

import pytest
from django.db import connection

from namespaces.listing import trigram_index
from namespaces.models import Label, Manifest
from registry_sync.inventory.parser import ParsedManifest
from registry_sync.inventory.writer import store_manifests
from tests import factories

LABELS = {"org.example.source": "HTTPS://example.com/Shop", "empty": "", "long": "x" * 2000}


def values(details: dict[str, object]) -> ParsedManifest:
    return ParsedManifest(
        digest=factories.digest_of("labelled"),
        media_type="x",
        kind="image",
        size=1,
        details=details,
    )


@pytest.mark.django_db
def test_a_manifest_brings_its_labels_once() -> None:
    for _twice in range(2):
        store_manifests([values({"config": {"labels": LABELS}})])
    assert dict(Label.objects.values_list("key", "value")) == LABELS
    assert Label.objects.get(key="long").value_prefix == "x" * 100
    Manifest.objects.all().delete()
    assert not Label.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("details", [{}, {"config": {}}, {"annotations": {"a": "b"}}])
def test_one_without_brings_none(details: dict[str, object]) -> None:
    store_manifests([values(details)])
    assert not Label.objects.exists()


@pytest.mark.django_db
def test_a_refused_index_is_a_sentence_and_stops_nothing() -> None:
    if connection.vendor == "sqlite":
        assert trigram_index.make_index(connection) == ""
        return
    assert trigram_index.make_index(connection) == ""  # there already
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    assert "read-only transaction" in trigram_index.make_index(connection)
    assert Manifest.objects.count() == 0  # the transaction lives
