"""A registry that is down, wrong or hostile: nothing of the inventory changes, and the run says why."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.core import serializers
from django.test import Client
from django.utils import translation

from accounts.common.translation import translate
from namespaces.models import Image, Tag
from registry_sync.client import MANIFEST_MAX, RegistryError, responses
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile.run import UNANSWERED_NAMESPACES_MAX, reconcile
from tests import factories
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
CATALOG, TAGS, MANIFEST = "/v2/_catalog", "/v2/team/app/tags/list", "/v2/team/app/manifests/1.0"


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    script.says[CATALOG] = answer({"repositories": ["team/app"]})
    script.says[TAGS] = answer({"tags": ["1.0"]})
    script.says[MANIFEST] = answer(status=304)
    yield script
    script.stop()


@pytest.fixture(autouse=True)
def _inventory() -> None:
    namespace = factories.NamespaceFactory(name="team")
    image = factories.ImageFactory(namespace=namespace, name="app", tag_count=1)
    factories.TagFactory(image=image, name="1.0", pushed_at=datetime.now(UTC))
    Repository.objects.create(name="team/app", image=image)


def sync(web: Scripted, **seconds: float) -> SyncRun:
    run = reconcile(web.client(**seconds))
    assert run
    return run


def test_why_a_repository_could_not_be_read_is_stored_for_each_language(web: Scripted) -> None:
    web.says[TAGS] = answer(status=403)
    sync(web)
    problem = Repository.objects.get().problem
    assert problem == "the registry answers 403"
    with translation.override("fr"):
        assert translate(problem) == "le registre répond 403"


def inventory() -> str:
    """But for the mark of what could not be read."""
    tags = list(Tag.objects.all())
    for tag in tags:
        tag.unreadable_since = None
    return serializers.serialize("json", [*Image.objects.all(), *tags])


def error(code: str) -> dict[str, list[dict[str, str]]]:
    return {"errors": [{"code": code, "message": ""}]}


def test_a_registry_that_answers_well_is_believed(web: Scripted) -> None:
    before = inventory()
    run = sync(web)
    assert (run.state, run.changes) == (SyncRun.State.DONE, 0)
    assert inventory() == before


@pytest.mark.parametrize(
    "broken",
    [
        answer(drop=True),
        answer({"repositories": []}, cut=True),
        answer(status=500),
        answer(status=429),
        answer(error("UNAUTHORIZED"), status=401),
        answer("not here", status=404),
        answer("<html>Sign in</html>"),
        answer('{"repositories": ["team'),
        answer([]),
        answer({}),
        answer({"repositories": [1]}),
        answer("[" * 200_000),
        answer(status=302, Location="http://evil.test/"),
        answer({"repositories": ["a/b"]}, Link='</v2/_catalog?n=1000>; rel="next"'),
        answer({"repositories": []}, Link='<http://evil.test/v2/?last=a>; rel="next"'),
        answer({"repositories": []}, Link='</v2/_catalog?last=a>; rel="next"'),
        answer({"repositories": []}, Link='<http://evil.test/v2/_catalog?last=a>; rel="next"'),
        answer({"repositories": []}, Link='<//evil.test/v2/_catalog?last=a>; rel="next"'),
        answer({"repositories": []}, Link='</v2/_catalog?last=a&last=b>; rel="next"'),
        answer({"repositories": []}, Link='</v2/_catalog/../../evil?last=a>; rel="next"'),
        answer(gzip.compress(b'{"repositories": []}'), Content_Encoding="gzip"),
    ],
)
def test_a_catalog_that_cannot_be_believed_changes_nothing(web: Scripted, broken: Answer) -> None:
    web.says[CATALOG] = broken
    before = inventory()
    for _twice in range(2):
        run = sync(web)
        assert run.state == SyncRun.State.FAILED
        assert run.problem
    assert inventory() == before


@pytest.mark.parametrize(
    "broken",
    [
        answer(status=500),
        answer("garbage"),
        answer("a proxy's page", status=404),
        answer({"name": "team/app"}),
        answer({"tags": []}, cut=True),
        answer(drop=True),
        answer({"tags": []}, Link='</v2/team/app/tags/list?last=a>; rel="next"'),
        answer({"tags": []}, Link='<http://evil.test/v2/team/app/tags/list?last=a>; rel="next"'),
        answer({"tags": []}, Link='</v2/team/other/tags/list?last=a>; rel="next"'),
        answer({"tags": ["2.0", "../../other/manifests/1.0"]}),
        answer({"tags": ["2.0\n"]}),
        answer({"tags": ["a" * 129]}),
        answer({"tags": ["a?b=c"]}),
        answer(error("UNAUTHORIZED"), status=401),
        answer(gzip.compress(b'{"tags": []}'), Content_Encoding="gzip"),
        answer(status=302, Location="http://evil.test/"),
    ],
)
def test_a_tag_list_that_cannot_be_believed_changes_nothing(web: Scripted, broken: Answer) -> None:
    web.says[TAGS] = broken
    before = inventory()
    for _twice in range(2):
        assert sync(web).state == SyncRun.State.INCOMPLETE
        assert Repository.objects.get().problem
    assert inventory() == before


@pytest.mark.parametrize(
    "broken",
    [
        answer("{}", Docker_Content_Digest="sha256:" + "0" * 64),
        answer(b"x" * (MANIFEST_MAX + 1)),
        answer(error("MANIFEST_UNKNOWN"), status=404),
        answer(status=400),
        answer(status=302, Location="http://evil.test/"),
        answer(gzip.compress(b"{}"), Content_Encoding="gzip"),
        answer(error("UNAUTHORIZED"), status=401),
    ],
)
def test_a_manifest_that_lies_or_is_gone_leaves_its_tag(web: Scripted, broken: Answer) -> None:
    web.says[MANIFEST] = broken
    before = inventory()
    for _twice in range(2):
        sync(web)
    assert Tag.objects.get().unreadable_since
    assert inventory() == before


def test_a_busy_registry_is_asked_again(web: Scripted) -> None:
    replies = iter([answer(status=503, Retry_After="0"), answer({"tags": ["1.0"]})])
    web.says[TAGS] = lambda _headers: next(replies)
    assert sync(web).state == SyncRun.State.DONE


def test_null_tags_mean_none_once_the_registry_says_so_of_the_tag_too(web: Scripted) -> None:
    web.says[TAGS] = answer({"tags": None})
    web.says[MANIFEST] = answer(status=400)
    assert sync(web).state == SyncRun.State.DONE
    assert Tag.objects.count() == 1
    web.says[MANIFEST] = answer(error("MANIFEST_UNKNOWN"), status=404)
    assert sync(web).state == SyncRun.State.DONE
    assert Tag.objects.count() == 0


def test_a_repository_that_the_catalog_has_and_the_tag_list_has_not(web: Scripted) -> None:
    web.says[TAGS] = answer(error("NAME_UNKNOWN"), status=404)
    before = inventory()
    assert sync(web).state == SyncRun.State.DONE
    assert inventory() == before  # its tag answers still
    web.says[MANIFEST] = answer(error("NAME_UNKNOWN"), status=404)
    sync(web)
    assert (Tag.objects.count(), Image.objects.count(), Repository.objects.count()) == (0, 1, 1)


def test_a_registry_that_goes_in_the_middle_keeps_what_was_done(web: Scripted, settings: Any) -> None:
    settings.SYNC_SHARD_SIZE = 1
    image = factories.ImageFactory(namespace=Image.objects.get().namespace, name="later", tag_count=1)
    factories.TagFactory(image=image, name="1.0")
    Repository.objects.create(name="team/later", image=image)
    web.says[CATALOG] = answer({"repositories": ["team/app", "team/later"]})
    web.says[MANIFEST] = answer('{"layers": []}')
    web.says["/v2/team/later/tags/list"] = answer(drop=True)
    later, old = Tag.objects.get(image=image).manifest_id, Tag.objects.get(image__name="app").manifest_id
    run = sync(web)
    assert (run.state, run.unreadable, run.repositories_done) == (SyncRun.State.DONE, 1, 2)
    assert Tag.objects.get(image__name="app").manifest_id != old
    assert Tag.objects.get(image__name="later").manifest_id == later


def test_a_tag_that_the_list_lost_stays_while_the_registry_has_it(web: Scripted) -> None:
    web.says[TAGS] = answer({"tags": ["2.0"]})
    web.says["/v2/team/app/manifests/2.0"] = answer('{"layers": []}')
    sync(web)
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["1.0", "2.0"]


def test_a_repository_vanishes_when_catalog_and_tag_list_agree(web: Scripted) -> None:
    web.says[CATALOG] = answer({"repositories": []})
    assert sync(web).state == SyncRun.State.DONE
    assert Image.objects.count() == 1  # its tags are still there, whatever the catalog says
    web.says[TAGS] = answer(error("NAME_UNKNOWN"), status=404)
    assert sync(web).state == SyncRun.State.DONE
    assert Image.objects.count() == 0


def test_where_much_would_vanish_at_once_the_run_stops_and_asks(web: Scripted) -> None:
    for number in range(9):
        image = factories.ImageFactory(namespace=Image.objects.first().namespace, name=f"other{number}")  # type: ignore[union-attr]
        Repository.objects.create(name=f"team/other{number}", image=image)
        web.says[f"/v2/team/other{number}/tags/list"] = answer(error("NAME_UNKNOWN"), status=404)
    held = sync(web)
    assert held.state == SyncRun.State.NEEDS_APPROVAL
    assert "9 of 10 repositories" in held.problem
    assert Image.objects.count() == 10
    SyncRun.objects.create(deletions_approved=True)
    assert sync(web).state == SyncRun.State.DONE
    assert Image.objects.count() == 1


@pytest.mark.parametrize("how", ["stall", "drip"])
@pytest.mark.parametrize("path", [CATALOG, TAGS, MANIFEST])
def test_a_registry_that_never_ends_its_answer_is_left(web: Scripted, path: str, how: str) -> None:
    web.says[path] = answer({"repositories": ["team/app"]}, **{how: True})
    before = inventory()
    assert sync(web, read=0.2, total=0.4).state in (SyncRun.State.FAILED, SyncRun.State.INCOMPLETE)
    assert inventory() == before


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 1_000_000,
        '{"layers":' * 100_000,
        json.dumps({"layers": [{"digest": f"sha256:{n:064}", "size": 2**70} for n in range(20_000)]}),
        json.dumps({"manifests": [{"digest": "x" * 1000, "platform": ["?"]}] * 3_000}),
        json.dumps(
            {"config": [], "layers": [None, 1, "x", {"digest": {}}], "annotations": {"a": {"b": "c"}}}
        ),
        '{"config": {"digest": "sha256:' + "a" * 64 + '", "size": -1}, "layers": [], "n": 1e999}',
        b"\xff\xfe\x00",
        "",
    ],
)
def test_a_manifest_of_any_content_is_a_tag_like_others(
    web: Scripted, bomb: str | bytes, client: Client
) -> None:
    web.says[TAGS] = answer({"tags": ["1.0", "bomb"]})
    web.says["/v2/team/app/manifests/bomb"] = answer(bomb, Content_Type="application/vnd.evil+json")
    assert sync(web).state == SyncRun.State.DONE
    tag = Tag.objects.get(name="bomb")
    member = factories.MemberFactory(account=tag.image.namespace.account)
    client.force_login(member.person)
    assert client.get(tag.get_absolute_url()).status_code == 200


STRANGE = ["../etc", "team/../app", "Team/app", "/team/app", "team/app/", "team//app", "", ".", "..", "team/app?n=1",
           "team app",
           "team%2fapp", "a" * 256, "a\x00b", "team/app\n", "\ud800"]  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_name_makes_the_run_incomplete_and_is_never_asked_for(web: Scripted, name: str) -> None:
    before = inventory()
    web.says[CATALOG] = answer({"repositories": [name, "new/app"]})
    web.says["/v2/new/app/tags/list"] = answer({"tags": None})
    for _twice in range(2):  # what is not in it may be there all the same: even the second time it stays
        run = sync(web)
        assert run.state == SyncRun.State.INCOMPLETE
        assert run.problem.startswith("1 name in the registry’s catalog cannot be a repository’s")
    assert inventory() == before
    assert {row.name for row in Repository.objects.all()} == {"team/app", "new/app"}
    asked = {path.partition("?")[0] for path in web.asked}
    assert asked <= {CATALOG, TAGS, MANIFEST, "/v2/new/app/tags/list"}


@pytest.mark.parametrize("name", STRANGE)
def test_no_strange_name_gets_into_an_address(web: Scripted, name: str) -> None:
    registry = web.client()
    digest = factories.digest_of("x")
    asks = [
        lambda: registry.tags(name),
        lambda: registry.manifest(name, "1.0"),
        lambda: registry.blob(name, digest, most=9),
        lambda: registry.delete(name, digest),
        lambda: registry.put_manifest(name, "1.0", "x", b""),
        lambda: registry.put_blob(name, digest, b""),
    ]
    if name:  # no reference at all is another question
        asks += [
            lambda: registry.manifest("team/app", name),
            lambda: registry.blob("team/app", name, most=9),
            lambda: registry.delete("team/app", name),
            lambda: registry.put_manifest("team/app", name, "x", b""),
        ]
    for ask in asks:
        with pytest.raises(RegistryError, match="not a name"):
            ask()
    with web.client().crawler() as reader:
        (read,) = reader.read_tags({name: {}})
    assert read.problem == "not a name that a registry can hold"
    assert not read.missing
    assert web.asked == []


def pages(web: Scripted, path: str, *cursors: str) -> None:
    """The first page, and one behind each cursor, each linking to the next."""
    key = "repositories" if path == CATALOG else "tags"
    says: dict[str, Answer] = {}
    for here, then in zip(["", *cursors], [*cursors, ""], strict=True):
        link = {"Link": f'<{path}?n=1000&last={quote(then)}>; rel="next"'} if then else {}
        says.setdefault(here, answer({key: []}, **link))

    def said(request: Any) -> Answer:
        return says[parse_qs(urlsplit(request.path).query).get("last", [""])[0]]

    web.by_request[path] = said


BACKWARDS = [("b", "a"), ("b", "b"), ("a", "b", "a"), ("a/c", "a/b"), ("team/b", "team/a", "team/b")]
FORWARDS = [
    ("a", "b"),
    ("a", "a-b"),
    ("a/b", "a-b"),
    ("a-b", "a"),
    ("a-b/c", "a/b"),
    ("A", "a"),
    ("1.10", "1.9"),
]


@pytest.mark.parametrize("path", [CATALOG, TAGS])
@pytest.mark.parametrize("cursors", BACKWARDS)
def test_pages_that_run_backwards_or_in_a_circle_prove_nothing(
    web: Scripted, path: str, cursors: tuple[str, ...]
) -> None:
    before = inventory()
    pages(web, path, *cursors)
    for _twice in range(2):
        run = sync(web)
        assert run.state in (SyncRun.State.FAILED, SyncRun.State.INCOMPLETE)
        why = run.problem if path == CATALOG else Repository.objects.get().problem
        assert "backwards, or in a circle" in why
    assert inventory() == before


@pytest.mark.parametrize("cursors", FORWARDS)
def test_pages_in_any_order_that_goes_forward_are_read(web: Scripted, cursors: tuple[str, ...]) -> None:
    """Distribution on a disk, on object storage, and other registries sort in different ways."""
    pages(web, CATALOG, *cursors)
    assert web.client().repositories() == responses.Catalog()
    assert len(web.asked) == len(cursors) + 1


def test_of_what_the_catalog_lacks_few_are_asked_about_in_vain(web: Scripted) -> None:
    web.says[CATALOG] = answer({"repositories": ["team/app", *(f"x/{number}" for number in range(20))]})
    sync(web)
    for number in range(5):
        Repository.objects.create(name=f"x{number}/lost")
        web.says[f"/v2/x{number}/lost/tags/list"] = answer(drop=True)
    sync(web)
    assert len({path for path in web.asked if "/lost" in path}) == UNANSWERED_NAMESPACES_MAX
    assert Repository.objects.filter(name__contains="/lost").count() == 5
