"""What is asked of many rows is answered by an index, and not by reading them all: the plans, on each database."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.common.pagination import paginate
from namespaces.listing import search
from namespaces.models import Descriptor, Image, Manifest, RepositoryManifest, Tag, TagHistoryEntry
from tests import factories, plans
from tests.cast import Cast

MANY, LESS = 1500, search.SORTED_MAX + 1
NOW = timezone.now()


@pytest.fixture
def image(cast: Cast) -> Image:
    """team-red/team/app with many tags. Its account, and another, have an image of a few less and small ones, too."""
    made: Image = factories.ImageFactory(
        namespace__account=cast.account,
        namespace__name="team",
        name="app",
        tag_count=MANY,
        latest_tag="tag-1",
    )
    theirs = factories.ImageFactory(
        namespace__account=cast.elsewhere, namespace__name="theirs", tag_count=LESS
    )
    small = Image.objects.bulk_create(
        Image(namespace=namespace, name=f"i{number}", tag_count=1, latest_tag="tag-1", pushed_at=NOW)
        for namespace in (made.namespace, theirs.namespace)
        for number in range(200)
    )
    for names in (
        [(made, f"tag-{number}") for number in range(MANY)],
        [(theirs, f"tag-{number}") for number in range(LESS)],
        [(each, "tag-1") for each in small],
    ):
        _tags(names)
    plans.analyze()
    return made


def _tags(names: Iterable[tuple[Image, str]]) -> None:
    tags = [
        Tag(image=image, name=name, manifest_id=_digest(number), pushed_at=NOW - timedelta(seconds=number))
        for number, (image, name) in enumerate(names)
    ]
    Manifest.objects.bulk_create((Manifest(digest=tag.manifest_id) for tag in tags), ignore_conflicts=True)
    Tag.objects.bulk_create(tags)


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


def test_a_filter_that_many_tags_fit_walks_the_index_of_their_order(cast: Cast, image: Image) -> None:
    with plans.explained("namespaces_manifest") as asked:
        answer = cast.client("viewer").get(image.get_absolute_url(), {"q": "t"})
    assert answer.context["count_words"] == "More than 1,000 tags match"
    page = next(plan for plan in asked if "namespaces_tag" in plan)
    assert "tag_by_push" in page, page
    assert not any(word in page for word in ("Sort", "TEMP B-TREE", "LIST SUBQUERY")), page


def test_in_the_order_of_names_each_page_of_a_filter_is_found(cast: Cast, image: Image) -> None:
    answer = cast.client("viewer").get(image.get_absolute_url(), {"q": "t", "sort": "name"})
    assert [row.tag.name for row in answer.context["rows"]] == [f"tag-{number}" for number in range(50)]


def test_what_is_everywhere_is_searched_from_the_newest_tag_on(cast: Cast, image: Image) -> None:
    ours = set(Tag.objects.filter(image__namespace__account=cast.account).values_list("pk", flat=True))
    with plans.explained("ORDER BY") as asked:
        rows = search.rows_of("tags", [cast.account], "tag-")
        assert rows is not None
        first = paginate(rows)
    plan = asked[0]
    assert "Backward using namespaces_tag_pkey" in plan or plan.startswith("SCAN namespaces_tag"), plan
    assert not any(word in plan for word in ("Sort", "TEMP B-TREE")), plan
    second = paginate(rows, cursor=first.next_cursor)
    assert [tag.pk for tag in first.rows + second.rows] == sorted(ours, reverse=True)[:100]


def test_of_an_account_with_few_of_all_tags_its_own_are_read(cast: Cast, image: Image) -> None:
    with plans.explained("ORDER BY") as asked:
        rows = search.rows_of("tags", [cast.elsewhere], "tag-")
        assert rows is not None
        found = list(rows[:11])
    assert {str(tag.image.namespace) for tag in found} == {"theirs"}
    assert not any(word in asked[0] for word in ("SubPlan", "SCALAR SUBQUERY")), asked[0]


def test_the_newest_tag_of_each_image_is_looked_up_by_its_name(cast: Cast, image: Image) -> None:
    with plans.explained('U0."name"') as asked:
        answer = cast.client("viewer").get("/a/team-red/images/")
    assert {row.tag.name for row in answer.context["rows"]} == {"tag-1"}
    plan = asked[0]
    assert not any(plans.reads_all(plan, table) for table in ("namespaces_tag", "namespaces_image")), plan
    assert "tag_once" in plan or "sqlite_autoindex_namespaces_tag_1 (image_id=? AND name=?)" in plan, plan


def test_a_history_is_read_by_indexes_for_its_own_values(cast: Cast, image: Image) -> None:
    TagHistoryEntry.objects.bulk_create(
        TagHistoryEntry(image=image, tag=f"tag-{number}", old=_digest(number), new=_digest(0), how="event")
        for number in range(MANY)
    )
    RepositoryManifest.objects.bulk_create(
        RepositoryManifest(image=image, manifest_id=_digest(number)) for number in range(MANY)
    )
    Descriptor.objects.bulk_create(
        Descriptor(manifest_id=_digest(number), digest=f"sha512:{number:064x}", kind="layer")
        for number in range(MANY)
    )
    plans.analyze()
    with plans.explained("namespaces_") as asked, CaptureQueriesContext(connection) as all_asked:
        answer = cast.client("viewer").get(f"{image.get_absolute_url()}-/history/")
    assert len(answer.context["rows"]) == 50
    for table in ("taghistoryentry", "tag", "repositorymanifest", "descriptor"):
        assert not any(plans.reads_all(plan, f"namespaces_{table}") for plan in asked), asked
    assert any("descriptor_by_digest" in plan for plan in asked), asked
    planned = any("force_custom_plan" in each["sql"] for each in all_asked)
    assert planned == (connection.vendor == "postgresql")


def test_what_a_user_did_lately_is_read_by_its_name(cast: Cast, image: Image) -> None:
    user = factories.RegistryUserFactory(account=cast.account, last_used_at=NOW)
    TagHistoryEntry.objects.bulk_create(
        TagHistoryEntry(image=image, tag=f"tag-{number}", new=_digest(0), how="event", by=f"user{number:08}")
        for number in range(MANY)
    )
    plans.analyze()
    with plans.explained('"by" =') as asked:
        cast.client("viewer").get(user.get_absolute_url())
    assert "history_by_user" in asked[0], asked
