"""/a/{account}/n/{namespace}/i/{image}/: the list of tags, in every order, filtered, page after page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.common.pagination import paginate
from namespaces import natural_sort
from namespaces.listing import tag_list
from namespaces.models import NEVER, Image, Tag, TagHistoryEntry
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from tests import factories, statements
from tests.cast import Cast

LIST = "/a/team-red/n/team/i/app/"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIGNATURE = f"sha256-{'ab' * 32}.sig"


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="app")
    return made


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client("viewer")


def names(client: Client, query: str = "") -> list[str]:
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    return [line.tag.name for line in answer.context["rows"]]


def tag(image: Image, name: str, minute: int = 0, size: int = 1, pulled: int | None = None) -> Tag:
    made: Tag = factories.TagFactory(
        image=image,
        name=name,
        manifest__size=size,
        pushed_at=NOON + timedelta(minutes=minute),
        pulled_at=NEVER if pulled is None else NOON + timedelta(minutes=pulled),
    )
    return made


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["1.9", "1.10", "latest"]), ("-name", ["latest", "1.10", "1.9"]),
        ("pushed", ["1.10", "latest", "1.9"]), ("-pushed", ["1.9", "latest", "1.10"]),
        ("size", ["latest", "1.9", "1.10"]), ("-size", ["1.10", "1.9", "latest"]),
        ("pulled", ["latest", "1.10", "1.9"]), ("-pulled", ["1.9", "1.10", "latest"]),
        ("", ["1.9", "latest", "1.10"]), ("nonsense", ["1.9", "latest", "1.10"]),
    ],
)  # fmt: skip
def test_each_order(client: Client, image: Image, sort: str, order: list[str]) -> None:
    tag(image, "1.9", 3, size=2, pulled=2)
    tag(image, "1.10", 1, size=3, pulled=1)
    tag(image, "latest", 2, size=1)
    assert names(client, f"?sort={sort}") == order


def test_the_headers_say_and_turn_the_order(client: Client, image: Image) -> None:
    tag(image, "1.9")
    page = " ".join(client.get(LIST).content.decode().split())
    assert page.count("aria-sort=") == 1
    assert 'aria-sort="descending"> <a class="text-reset fw-bold" href="?sort=pushed">Pushed' in page
    turned = " ".join(client.get(f"{LIST}?sort=name&q=1.9").content.decode().split())
    assert 'aria-sort="ascending"> <a class="text-reset fw-bold" href="?q=1.9&amp;sort=-name">Tag' in turned
    assert '<a class="text-reset" href="?q=1.9&amp;sort=-size">Size' in turned


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("NIGHT", ["nightly-2", "nightly-1"]), ("ly-", ["nightly-2", "nightly-1"]), ("v", ["v1"]), ("V1", ["v1"]),
        ("ly", []), ("i", []), ("%25", []), ("_1", []), ("no-such", []), ("'", []), ("%00v1", ["v1"]),
    ],
)  # fmt: skip
def test_a_piece_of_the_name(client: Client, image: Image, typed: str, found: list[str]) -> None:
    for minute, name in enumerate(("v1", "nightly-1", "nightly-2")):
        tag(image, name, minute)
    assert names(client, f"?q={typed}") == found


def test_the_beginning_of_a_digest(client: Client, image: Image) -> None:
    wanted, _other = tag(image, "one"), tag(image, "other")
    hexes = wanted.manifest_id.removeprefix("sha256:")
    for typed in (hexes, hexes[:6], hexes[:6].upper(), f"sha256:{hexes}", f"sha256:{hexes[:3]}"):
        assert names(client, f"?q={typed}") == ["one"], typed
    assert names(client, f"?q={hexes[1:20]}") == []
    named_so = tag(image, f"build-{hexes[:6]}", 1)
    assert names(client, f"?q={hexes[:6]}") == [named_so.name, "one"]


def test_the_digest_of_anothers_manifest_finds_nothing(cast: Cast, client: Client, image: Image) -> None:
    theirs = factories.TagFactory(image__namespace__account=cast.elsewhere)
    assert names(client, f"?q={theirs.manifest_id}") == []


def test_tags_that_tools_made_are_hidden_until_asked_for(client: Client, image: Image) -> None:
    tag(image, "1.0", 1)
    tag(image, SIGNATURE, 2)
    page = client.get(LIST)
    assert [line.tag.name for line in page.context["rows"]] == ["1.0"]
    assert "Show 1 technical tag" in page.content.decode()
    both = client.get(LIST + page.context["technical_url"])
    assert [line.tag.name for line in both.context["rows"]] == [SIGNATURE, "1.0"]
    assert "Hide technical tags" in both.content.decode()
    assert "technical" not in client.get(f"{LIST}?q=1.0").content.decode()
    assert names(client, "?technical=1&sort=name") == ["1.0", SIGNATURE]


def test_an_image_that_holds_only_such_tags_says_so(client: Client, image: Image) -> None:
    tag(image, SIGNATURE)
    page = client.get(LIST).content.decode()
    assert "Only technical tags here" in page
    assert "Push your first image" not in page


def test_who_pushed_is_told_by_description(cast: Cast, client: Client, image: Image) -> None:
    factories.RegistryUserFactory(account=cast.account, username="ourpusher123", description="CI <deploy>")
    factories.RegistryUserFactory(account=cast.elsewhere, username="theirpusher1", description="Not for you")
    for name in ("ourpusher123", "theirpusher1", "gonepusher12", ""):
        factories.TagFactory(image=image, pushed_by=name)
    page = client.get(LIST).content.decode()
    assert "CI &lt;deploy&gt;" in page
    assert "theirpusher1" in page
    assert "gonepusher12" in page
    assert "Not for you" not in page


def test_what_a_person_put_back_says_so_where_it_says_who_pushed(
    cast: Cast, client: Client, image: Image
) -> None:
    again, found = factories.ManifestFactory.create_batch(2)
    for name, manifest, how, by in (("1.0", again, "panel", "lena@example.com"), ("2.0", found, "found", "")):
        write_tag_changes(image, [TagChange(name, manifest.digest, NOON, by)], how=TagHistoryEntry.How(how))
    for name, sentences in (("1.0", 1), ("2.0", 0)):
        assert (
            client.get(f"{LIST}-/tags/{name}/").content.decode().count("restored by lena@example.com")
            == sentences
        )
    assert client.get(LIST).content.decode().count("restored by lena@example.com") == 1
    address = "/a/team-red/n/team/"
    assert 'title="unknown">—' in client.get(address).content.decode()  # 2.0, the newest, and nobody told
    Image.objects.update(latest_tag="1.0")
    assert client.get(address).content.decode().count("restored by lena@example.com") == 1


def test_tags_of_one_digest_are_marked(client: Client, image: Image) -> None:
    manifest = factories.ManifestFactory()
    for name in ("1.0", "latest", "stable"):
        factories.TagFactory(image=image, name=name, manifest=manifest)
    factories.TagFactory(image=image, name="2.0")
    lines = client.get(f"{LIST}?sort=name").context["rows"]
    assert [(line.tag.name, line.same_manifest_tag) for line in lines] == [
        ("1.0", "latest"),
        ("2.0", ""),
        ("latest", "1.0"),
        ("stable", "latest"),
    ]


def test_the_last_pull_and_never(client: Client, image: Image) -> None:
    tag(image, "1.0", pulled=5).save()
    Tag.objects.update(pull_count=1234)
    tag(image, "2.0")
    page = client.get(LIST).content.decode()
    assert "1,234 pulls" in page or "1234 pulls" in page
    assert page.count(">never<") == 1
    assert not re.search(r"\b1970\b", page)


def test_a_name_as_long_as_can_be(client: Client, image: Image) -> None:
    long = ("a1" * 64)[:128]
    tag(image, long)
    assert names(client, "?sort=name") == [long]
    assert client.get(f"{LIST}-/tags/{long}/").status_code == 200
    assert names(client, f"?q={'x' * 200}") == []


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    "asking", ["?", "?technical=1&", "?q=1&", "?q=abcdef&technical=1&", "?sort=name&q=1.1&"]
)
def test_many_tags_cost_no_more_statements(
    client: Client, image: Image, settings: Any, asking: str, many: bool
) -> None:
    settings.TAGS_COUNTED_MAX = 5 if many else 1000
    counts = []
    for _round in range(2):
        factories.TagFactory.create_batch(60, image=image, pushed_by="someusername")
        tag(image, f"sha256-{len(counts):064}.sig")
        with statements.counted() as asked:
            assert client.get(LIST + asking).status_code == 200
        lists = ('FROM "namespaces_tag"', 'FROM "accounts_registryuser"')
        counts.append(sum(any(each in sql for each in lists) for sql in asked))
    assert counts[0] == counts[1] <= 5
    assert len(asked) <= 11  # of the frame around it too, and what is being deleted


def test_counts_stop_where_counting_would_cost(client: Client, image: Image, settings: Any) -> None:
    settings.TAGS_COUNTED_MAX = 3
    for number in range(4):
        tag(image, f"1.{number}", number)
        tag(image, f"sha256-{number:064}.sig")
    page = client.get(f"{LIST}?q=1.").content.decode()
    assert "More than 3 tags match" in page
    assert names(client, "?q=1.") == ["1.3", "1.2", "1.1", "1.0"]
    assert "Show more than 3 technical tags" in client.get(LIST).content.decode()
    assert ">1 tag matches<" in client.get(f"{LIST}?q=1.1").content.decode()


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "a" * 500, "%00"])
def test_a_broken_page_is_told_as_such(client: Client, image: Image, cursor: str) -> None:
    tag(image, "1.0")
    answer = client.get(f"{LIST}?page={cursor}")
    assert answer.status_code == 400
    assert "start again from the first page" in answer.content.decode()


def test_the_page_of_one_order_is_none_of_another(client: Client, image: Image) -> None:
    factories.TagFactory.create_batch(60, image=image)
    for sort, other in (("name", "pushed"), ("name", "-size"), ("-pulled", "size")):
        cursor = client.get(f"{LIST}?sort={sort}").context["page"].next_cursor
        answer = client.get(f"{LIST}?sort={other}&page={cursor}")
        assert answer.status_code in (200, 400)
    assert client.get(f"{LIST}?sort=size&page={cursor}").status_code == 400


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302), ("viewer", 200)])
@pytest.mark.parametrize("query", ["", "?q=1.0", "?sort=name", "?technical=1", "?page=x"])
def test_who_sees_it(cast: Cast, image: Image, who: str, status: int, query: str) -> None:
    tag(image, "1.0")
    expected = 400 if query == "?page=x" and status == 200 else status
    assert cast.client(who).get(LIST + query).status_code == expected


TAGS = st.lists(
    st.tuples(
        st.from_regex(r"[a-z0-9]{1,3}(\.[0-9]{1,2}){0,2}", fullmatch=True) | st.just(SIGNATURE),
        st.integers(0, 3),
        st.integers(0, 3),
        st.none() | st.integers(0, 2),
    ),
    max_size=14,
    unique_by=lambda each: each[0],
)
ORDERS = {
    "name": lambda each: natural_sort.sort_key(each.name),
    "pushed": lambda each: each.pushed_at,
    "size": lambda each: each.size,
    "pulled": lambda each: each.pulled_at,
}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    made=TAGS, later=TAGS, sort=st.sampled_from(tag_list.SORTS), size=st.integers(1, 5), technical=st.booleans(),
    search=st.sampled_from(["", "1", "1.1", "abcdef"]), few=st.integers(0, 8),
)  # fmt: skip
def test_all_pages_together_are_the_list_without_gap_or_double(
    image: Image, made: list[tuple[str, int, int, int | None]], later: list[tuple[str, int, int, int | None]],
    sort: str, size: int, technical: bool, search: str, few: int,
) -> None:  # fmt: skip
    """Also while others push: every tag that was there from the beginning is met once, in order; and back again."""
    Tag.objects.all().delete()
    _write(image, made)
    with override_settings(TAGS_COUNTED_MAX=few):
        fitting = _expected(image, search, technical)
        column = ORDERS[sort.removeprefix("-")]
        whole = sorted(fitting, key=lambda each: (column(each), each.pk), reverse=sort.startswith("-"))
        met: list[str] = []
        cursor, previous = "", ""
        known = {name for name, *_rest in made}
        while True:
            page = paginate(*_read(image, search, sort, technical), cursor=cursor, size=size)
            met += [row.name for row in page.rows]
            if not page.next_cursor:
                break
            cursor, previous = page.next_cursor, page.previous_cursor
            _write(image, [each for each in later if each[0] not in known])
        assert [name for name in met if name in known] == [each.name for each in whole]
        assert len(met) == len(set(met))
        if previous:  # back over all of them, now that nobody writes
            met_back: list[str] = []
            cursor = page.previous_cursor
            while cursor:
                page = paginate(*_read(image, search, sort, technical), cursor=cursor, size=size)
                met_back = [row.name for row in page.rows] + met_back
                cursor = page.previous_cursor
            every = sorted(
                _expected(image, search, technical),
                key=lambda each: (column(each), each.pk),
                reverse=sort.startswith("-"),
            )
            assert met_back == [each.name for each in every][: len(met_back)]


def _read(image: Image, search: str, sort: str, technical: bool) -> list[QuerySet[Tag]]:
    found = tag_list.find_tags(image, search)
    halves = (False, True) if technical else (False,)
    return [found.tags(sort=sort, technical=half) for half in halves]


def _expected(image: Image, search: str, technical: bool) -> list[Tag]:
    rows = [each for each in Tag.objects.filter(image=image) if technical or not each.technical]
    if not search:
        return rows
    fits = str.startswith if len(search) < 3 else str.__contains__
    return [
        each
        for each in rows
        if fits(each.name, search) or (search == "abcdef" and "sha256:abcdef" in each.manifest_id)
    ]


def _write(image: Image, rows: list[tuple[str, int, int, int | None]]) -> None:
    for name, minute, size, pulled in rows:
        Tag.objects.update_or_create(
            image=image,
            name=name,
            create_defaults={
                "manifest": factories.ManifestFactory(),
                "size": size,
                "pushed_at": NOON + timedelta(minutes=minute),
                "pulled_at": NEVER if pulled is None else NOON + timedelta(minutes=pulled),
            },
            defaults={},
        )
