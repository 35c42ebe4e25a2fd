"""The description that an image brings is that of its newest tag, and a member's stays."""

from datetime import UTC, datetime, timedelta

import pytest

from namespaces.models import Image, Manifest, TagHistoryEntry
from namespaces.services import descriptions
from registry_sync.inventory import index_totals
from registry_sync.inventory.writer import TagChange, write_tag_changes
from tests import factories
from tests.cast import Cast
from tests.django.namespaces import things

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "org.opencontainers.image.description"


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, name="app")
    return made


def labelled(image: Image, text: str) -> Manifest:
    return things.put(image, things.image_document(text), config=things.image_config(Labels={KEY: text}))


def point(image: Image, tag: str, digest: str, minutes: int) -> str:
    """Push the tag; return the description that the image then brings."""
    change = TagChange(tag, digest, NOON + timedelta(minutes=minutes))
    write_tag_changes(image, [change], how=TagHistoryEntry.How.EVENT)
    image.refresh_from_db()
    return image.pushed_description


def test_the_newest_tag_says_it(image: Image) -> None:
    assert point(image, "1.0", labelled(image, "First").digest, 1) == "First"
    assert point(image, "2.0", labelled(image, "Second").digest, 2) == "Second"
    assert point(image, "2.0", "", 3) == "First"
    assert point(image, "3.0", things.put(image, things.image_document("c")).digest, 4) == ""
    point(image, "3.0", "", 5)
    assert point(image, "1.0", "", 6) == ""


def test_an_index_or_else_its_default_platform(image: Image) -> None:
    platform = labelled(image, "Of a platform")
    plain = things.put(image, things.index_document((platform, "linux/amd64")))
    said = things.put(
        image, things.index_document((platform, "linux/amd64"), annotations={KEY: "Of the index"})
    )
    assert point(image, "1.0", plain.digest, 1) == "Of a platform"
    assert point(image, "1.0", said.digest, 2) == "Of the index"


def test_a_platform_that_the_image_does_not_hold_tells_nothing(image: Image) -> None:
    """Whoever writes an index may list any digest in it, also one of another tenant."""
    theirs = labelled(factories.ImageFactory(name="theirs"), "Of others")
    index = things.put(image, things.index_document((theirs, "linux/amd64")))
    assert point(image, "1.0", index.digest, 1) == ""


def test_what_a_member_wrote_stays(image: Image, cast: Cast) -> None:
    descriptions.describe_image(by=cast.by("owner"), image=image, description="Ours")
    point(image, "1.0", labelled(image, "First").digest, 1)
    assert image.description == "Ours"


def test_a_config_that_came_late(image: Image) -> None:
    row = things.put(image, things.image_document("a"))
    assert point(image, "1.0", row.digest, 1) == ""
    index_totals.update_manifest(row.digest, {"details": labelled(image, "Late").details, "complete": True})
    image.refresh_from_db()
    assert image.pushed_description == "Late"
