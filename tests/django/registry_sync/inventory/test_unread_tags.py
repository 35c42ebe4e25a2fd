"""A tag that cannot be read stays as it was and says so; all others of its repository are brought up to date."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from namespaces.models import Image, Tag
from registry_sync.client import RepositoryTags
from registry_sync.client.crawler import UNANSWERED_TAGS_MAX
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile.run import reconcile
from registry_sync.reconcile.writer import record_problem, stored_repositories
from registry_sync.retention import preview
from tests import factories
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["team/app", "team/other"]})
    script.says["/v2/team/app/tags/list"] = answer({"tags": ["good", "bad"]})
    script.says["/v2/team/other/tags/list"] = answer({"tags": ["1"]})
    for path in ("team/app/manifests/good", "team/app/manifests/bad", "team/other/manifests/1"):
        script.says[f"/v2/{path}"] = content(path)
    yield script
    script.stop()


@pytest.fixture(autouse=True)
def _team() -> None:
    factories.NamespaceFactory(name="team")


def content(text: str) -> Answer:
    return answer(json.dumps({"layers": [], "annotations": {"text": text}}), Content_Type=KIND)


def sync(web: Scripted) -> SyncRun:
    run = reconcile(web.client())
    assert run
    return run


def digest(tag: str) -> str:
    return Tag.objects.get(name=tag).manifest_id


def test_it_stays_while_the_others_move_on_and_the_run_says_why(web: Scripted) -> None:
    assert sync(web).state == SyncRun.State.DONE
    before = digest("good"), digest("bad")
    web.says["/v2/team/app/manifests/good"] = content("new")
    web.says["/v2/team/app/manifests/bad"] = answer(status=500)
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
    assert "1 repository, or some of its tags, could not be read" in run.problem
    assert "team" not in run.problem
    assert (
        Repository.objects.get(name="team/app").problem == "bad could not be read: the registry answers 500"
    )
    assert digest("good") != before[0]
    assert digest("bad") == before[1]
    first = Tag.objects.get(name="bad").unreadable_since
    assert first
    sync(web)
    assert Tag.objects.get(name="bad").unreadable_since == first  # since, and not lately
    assert Tag.objects.get(name="good").unreadable_since is None
    web.says["/v2/team/app/manifests/bad"] = content("mended")
    assert sync(web).state == SyncRun.State.DONE
    assert Tag.objects.get(name="bad").unreadable_since is None
    assert digest("bad") != before[1]
    assert Repository.objects.get(name="team/app").problem == ""


def test_one_that_is_the_same_again_loses_its_mark_and_nothing_else(web: Scripted) -> None:
    sync(web)
    web.says["/v2/team/app/manifests/bad"], good = answer(status=500), web.says["/v2/team/app/manifests/bad"]
    sync(web)
    web.says["/v2/team/app/manifests/bad"] = good
    run = sync(web)
    assert (run.state, run.changes) == (SyncRun.State.DONE, 0)
    assert Tag.objects.get(name="bad").unreadable_since is None


def test_a_new_one_is_no_tag_until_it_can_be_read(web: Scripted) -> None:
    web.says["/v2/team/app/manifests/bad"] = answer(status=500)
    assert sync(web).unreadable == 1
    assert set(Tag.objects.values_list("name", flat=True)) == {"good", "1"}


def test_rules_wait_for_its_image_and_for_no_other(web: Scripted) -> None:
    web.says["/v2/team/app/manifests/bad"] = answer(status=500)
    run = sync(web)
    assert preview.load_evidence().checked_at == run.finished_at
    assert preview.is_uncertain(Image.objects.get(name="app"))
    assert not preview.is_uncertain(Image.objects.get(name="other"))


def test_where_none_of_many_can_be_read_the_rest_is_not_asked_for(web: Scripted) -> None:
    names = [f"v{number}" for number in range(1000)]
    web.says["/v2/team/app/tags/list"] = answer({"tags": names})
    for name in names:
        web.says[f"/v2/team/app/manifests/{name}"] = answer(status=503, Retry_After="0")
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
    assert "no answer" in Repository.objects.get(name="team/app").problem
    assert len([path for path in web.asked if "/app/manifests/" in path]) < 6 * UNANSWERED_TAGS_MAX
    assert digest("1")


def test_the_pages_say_since_when(web: Scripted, client: Client) -> None:
    sync(web)
    web.says["/v2/team/app/manifests/bad"] = answer(status=500)
    sync(web)
    bad, good = Tag.objects.get(name="bad"), Tag.objects.get(name="good")
    member = factories.MemberFactory(account=bad.image.namespace.account)
    client.force_login(member.person)
    assert "unreadable since" in client.get(bad.image.get_absolute_url()).text
    assert "unreadable since" in client.get(bad.get_absolute_url()).text
    page = client.get(good.get_absolute_url()).text
    assert "unreadable since" not in page
    assert "team/other" not in page


def test_of_several_the_same_one_is_named_whichever_failed_first() -> None:
    """Else each run of an unchanged registry would write a row."""
    image = factories.ImageFactory(name="app")
    row = Repository.objects.create(name="team/app", image=image)
    known = stored_repositories(["team/app"])["team/app"]
    for tags in (["b", "a"], ["a", "b"]):
        read = RepositoryTags("team/app", unreadable=dict.fromkeys(tags, "500"))
        record_problem(read, known, timezone.now(), quick=False)
        row.refresh_from_db()
        assert row.problem == "a and 1 more tag could not be read: 500"


def test_many_of_far_more_hold_up_none(web: Scripted) -> None:
    """Wherever in the list they stand."""
    names = [f"v{number}" for number in range(500)]
    web.says["/v2/team/app/tags/list"] = answer({"tags": names})
    for name in names:
        web.says[f"/v2/team/app/manifests/{name}"] = content("same")
    for name in names[: UNANSWERED_TAGS_MAX + 10]:
        web.says[f"/v2/team/app/manifests/{name}"] = answer(status=500)
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
    assert Tag.objects.filter(image__name="app").count() == 500 - UNANSWERED_TAGS_MAX - 10
