"""An image's newest tag is the one that its list of tags begins with, whatever was learned late."""

from datetime import UTC, datetime, timedelta

import pytest

from namespaces.listing import tag_list
from namespaces.models import Image, TagHistoryEntry
from registry_sync.inventory import late_history
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from tests import factories

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def image() -> Image:
    made: Image = factories.ImageFactory(name="app")
    return made


def pushed(image: Image, tag: str, minutes: int, *, by: str = "", digest: str = "") -> TagChange:
    digest = digest or factories.ManifestFactory().digest
    return TagChange(tag, digest, NOON + timedelta(minutes=minutes), by=by)


def agrees(image: Image) -> str:
    image.refresh_from_db()
    first = tag_list.find_tags(image).tags()[0]
    assert (image.latest_tag, image.pushed_at, image.size) == (first.name, first.pushed_at, first.size)
    return first.name


def test_an_event_that_came_late_dates_a_tag_back(image: Image) -> None:
    found = pushed(image, "late", 9)
    write_tag_changes(image, [pushed(image, "other", 5)], how=TagHistoryEntry.How.EVENT)
    write_tag_changes(image, [found], how=TagHistoryEntry.How.FOUND)
    assert agrees(image) == "late"
    late_history.record_change(image, pushed(image, "late", 1, by="someone", digest=found.digest))
    assert agrees(image) == "other"


def test_one_that_went_and_came_again(image: Image) -> None:
    first = pushed(image, "again", 1, by="someone")
    write_tag_changes(image, [first], how=TagHistoryEntry.How.EVENT)
    write_tag_changes(image, [pushed(image, "other", 5)], how=TagHistoryEntry.How.EVENT)
    late_history.record_change(image, TagChange("again", "", NOON + timedelta(minutes=6)))
    late_history.record_change(image, pushed(image, "again", 7, by="someone", digest=first.digest))
    assert agrees(image) == "again"


def test_tags_of_one_moment(image: Image) -> None:
    write_tag_changes(
        image, [pushed(image, name, 3) for name in ("b", "c", "a")], how=TagHistoryEntry.How.FOUND
    )
    agrees(image)
