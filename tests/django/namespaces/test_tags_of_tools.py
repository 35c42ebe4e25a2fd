"""Tags that tools make of a digest: shown beside what they are about, and nowhere as versions."""

from datetime import UTC, datetime

import pytest

from namespaces import tag_updates
from namespaces.listing import search
from namespaces.manifests.referrers import referrers_of
from namespaces.models import Image, TagHistoryEntry
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from tests import factories
from tests.cast import Cast
from tests.django.namespaces.things import image_document, put

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
KINDS = ("", ".sig", ".src", ".0123456789abcdef.sbom", ".imgpkg")


@pytest.fixture
def image(cast: Cast) -> Image:
    """team/app:1.0 with five tags of tools, pushed after it."""
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="app")
    version = put(made, image_document("1.0"))
    moves = [TagChange("1.0", version.digest, WHEN)]
    for kind in KINDS:
        about = version if kind == ".imgpkg" else put(made, image_document(kind))
        moves.append(TagChange(version.digest.replace(":", "-") + kind, about.digest, LATER))
    write_tag_changes(made, moves, how=TagHistoryEntry.How.EVENT)
    made.refresh_from_db()
    return made


def test_they_are_neither_counted_nor_the_newest(image: Image) -> None:
    assert (image.tag_count, image.latest_tag, image.pushed_at) == (1, "1.0", WHEN)


def test_all_that_they_point_at_is_shown_with_what_it_is_about(image: Image) -> None:
    version = image.tags.get(name="1.0").manifest
    shown = {each.tag.removeprefix(version.digest.replace(":", "-")) for each in referrers_of(image, version)}
    assert shown == set(KINDS) - {".imgpkg"}


def test_they_are_no_news(image: Image) -> None:
    assert tag_updates.changes_since(tag_updates.history_of_image(image), 0) == tag_updates.TagChanges(new=1)


def test_they_are_found_by_who_types_a_whole_one(cast: Cast, image: Image) -> None:
    stem = image.tags.get(name="1.0").manifest_id.replace(":", "-")

    def names(typed: str, kind: str = "tags") -> list[str]:
        rows = search.rows_of(kind, [cast.account], typed)
        return sorted(row.name for row in rows) if rows is not None else []

    assert names("sha256-") == []
    assert names(stem[:40]) == []
    assert names("team/app:s") == []
    assert names("team/app:1") == ["1.0"]
    assert names(f"{stem}.src") == []
    assert names(f"{stem}.src", "technical") == [f"{stem}.src"]
    assert names(f"team/app:{stem}.sig", "technical") == [f"{stem}.sig"]


def test_the_page_of_a_tag_names_none_of_them(cast: Cast, image: Image) -> None:
    page = cast.client("viewer").get(image.tags.get(name="1.0").get_absolute_url())
    assert page.context["siblings"] == []
