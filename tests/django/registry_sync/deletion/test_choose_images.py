"""/a/…/images/delete-all/: images ticked in a list, all of its page, or all that match, deleted as one act."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.common.pagination import PAGE_SIZE
from accounts.models import AuditEvent
from namespaces.models import Image
from registry_sync.deletion import purge_service, purge_worker
from registry_sync.models import Purge, Removal, RemovalItem
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.deletion.test_purge_pages import DIFFERENT, NAMESPACE, make, put

LIST = "/a/team-red/images/"
HERE = f"{LIST}delete-all/"
THREE = ("api", "web", "deep/worker")


@pytest.fixture(autouse=True)
def images(cast: Cast) -> list[Image]:
    other = factories.NamespaceFactory(account=cast.account, name="other")
    made = [make(cast, name, "1.0", "2.0") for name in THREE] + [make(cast, "api", "1.0", namespace=other)]
    Image.objects.update(tag_count=1)
    return made


def form(cast: Cast, typed: str, **query: object) -> dict[str, object]:
    """As the owner's page has it, with the name typed."""
    return {
        **query,
        "preview_digest": cast.client("owner").get(HERE, query).context["preview"].preview_digest,
        "confirm": typed,
    }


@pytest.mark.parametrize("who", ["owner", "manager"])
@pytest.mark.parametrize(("where", "boxes"), [(LIST, 4), (NAMESPACE, 3)])
def test_who_may_remove_can_tick(cast: Cast, who: str, where: str, boxes: int) -> None:
    page = cast.client(who).get(where).content.decode()
    assert page.count('type="checkbox" name="image"') == boxes
    assert "data-tick-all" in page
    assert "Delete all that match" not in page
    part = cast.client(who).get(f"{where}?q=api", headers={"HX-Request": "true", "HX-Target": "images"})
    assert "Delete all that match…" in part.content.decode()


@pytest.mark.parametrize("where", [LIST, NAMESPACE, f"{LIST}?q=api", f"{NAMESPACE}?q=api"])
def test_a_viewer_is_shown_no_tick(cast: Cast, where: str) -> None:
    page = cast.client("viewer").get(where).content.decode()
    assert "team/api" in page
    assert "chosen-images" not in page
    assert "delete-all" not in page


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
@pytest.mark.parametrize(
    "query", [{"image": ["team/api", "team/web"]}, {"matching": "1", "namespace": "team"}]
)
def test_who_deletes_some(cast: Cast, who: str, status: int, query: dict[str, object]) -> None:
    sent = form(cast, "team", **query)
    assert cast.client(who).get(HERE, query).status_code == (200 if status == 302 else status)
    assert not Purge.objects.exists()
    assert cast.client(who).post(HERE, sent).status_code == status
    assert Purge.objects.exists() is (status == 302)
    assert AuditEvent.objects.filter(action="image.deletion_asked").exists() is (status == 302)


def test_those_ticked_go_and_nothing_else(cast: Cast) -> None:
    ticked = {"image": ["team/api", "team/deep/worker"]}
    page = cast.client("owner").get(HERE, ticked)
    assert "Delete 2 images and everything in them" in page.content.decode()
    assert (page.context["preview"].tags, page.context["preview"].manifests) == (4, 4)
    where = cast.client("owner").post(HERE, form(cast, "team", **ticked))["Location"]
    purge = Purge.objects.get()
    assert where == f"{NAMESPACE}deletions/{purge.pk}/"
    assert (str(purge), purge.of_namespace) == ("2 images of team", False)
    asked = AuditEvent.objects.filter(action="image.deletion_asked").order_by("id")
    assert [(each.object, each.after) for each in asked] == [
        ("team/api", {"tags": 2, "manifests": 2}),
        ("team/deep/worker", {"tags": 2, "manifests": 2}),
    ]
    _work(purge)
    assert {each.image.name for each in purge.removals.all()} == {"api", "deep/worker"}
    assert (purge.state, purge.ends_at) == ("done", None)  # the namespace stays
    deleted = AuditEvent.objects.filter(action="image.deleted").order_by("id")
    assert [each.object for each in deleted] == ["team/api", "team/deep/worker"]
    shown = cast.client("viewer").get(where).content.decode()
    assert "Delete 2 images and everything in them" in shown
    assert "4 of 4 manifests deleted" in shown


def test_it_is_told_where_it_concerns(cast: Cast) -> None:
    cast.client("owner").post(HERE, form(cast, "team", image=["team/api", "team/web"]))
    link = f"{NAMESPACE}deletions/{Purge.objects.get().pk}/"
    for where, told in {LIST: True, NAMESPACE: True, f"{NAMESPACE}i/api/": True,
                        f"{NAMESPACE}i/deep/worker/": False, "/a/team-red/n/other/": False}.items():  # fmt: skip
        assert (link in cast.client("viewer").get(where).content.decode()) is told, where


def test_they_are_put_back_as_one(cast: Cast) -> None:
    cast.client("owner").post(HERE, form(cast, "team", image=["team/api", "team/web"]))
    purge = Purge.objects.get()
    _work(purge)
    assert cast.client("owner").post(f"{NAMESPACE}deletions/{purge.pk}/restore/").status_code == 302
    _work(purge)
    assert purge.state == "restored"
    assert purge.removals.filter(kind="restore").count() == 2
    for deed in ("put_back_asked", "put_back"):
        assert AuditEvent.objects.filter(action=f"image.{deed}").count() == 2


def test_what_is_stopped_is_said_of_each_that_was_not_done(cast: Cast) -> None:
    cast.client("owner").post(HERE, form(cast, "team", image=["team/api", "team/web"]))
    purge = Purge.objects.get()
    purge_worker.work_due()
    done = purge.removals.get(image__name="api")
    done.items.update(state="done", outcome="done")
    Removal.objects.filter(pk=done.pk).update(state="done", due_at=None)
    cast.client("owner").post(f"{NAMESPACE}deletions/{purge.pk}/stop/")
    assert [each.object for each in AuditEvent.objects.filter(action="image.deletion_stopped")] == [
        "team/web"
    ]


def test_one_that_is_ticked_is_deleted_as_from_its_own_page(cast: Cast) -> None:
    page = cast.client("owner").get(HERE, {"image": "team/deep/worker"}).content.decode()
    assert "Delete this image and everything in it" in page
    cast.client("owner").post(HERE, form(cast, "deep/worker", image="team/deep/worker"))
    purge = Purge.objects.get()
    assert (str(purge), purge.chosen) == ("team/deep/worker", 0)


def test_of_several_namespaces_each_has_its_deletion(cast: Cast) -> None:
    both = {"image": ["team/api", "other/api", "team/web"]}
    assert cast.client("owner").post(HERE, form(cast, "team", **both)).status_code == 400
    page = cast.client("owner").get(HERE, both)
    assert [each.image.repository for each in page.context["shown_images"]] == [
        "other/api",
        "team/api",
        "team/web",
    ]
    assert "Each namespace then shows the progress of its deletion" in page.content.decode()
    sent = form(cast, "team-red", **both)
    assert cast.client("owner").post(HERE, sent)["Location"] == LIST
    assert {str(each) for each in Purge.objects.all()} == {"2 images of team", "other/api"}
    page = cast.client("owner").get(LIST).content.decode()
    assert "Delete 2 images of team and everything in them" in page
    assert "Delete other/api and everything in it" in page
    cast.client("owner").post(HERE, sent)  # a button pressed twice asks once
    assert Purge.objects.count() == 2


def test_all_of_a_page_without_a_script(cast: Cast) -> None:
    for number in range(PAGE_SIZE):
        make(cast, f"many/{number}", "1.0")
    Image.objects.update(tag_count=1)
    first = cast.client("owner").get(f"{LIST}?q=many")
    assert "Delete all on this page…" in first.content.decode()
    chosen = cast.client("owner").get(HERE, {"all": "1", "q": "many"}).context["preview"]
    assert len(chosen.images) == PAGE_SIZE
    make(cast, "many/more", "1.0")
    Image.objects.update(tag_count=1)
    rest = cast.client("owner").get(f"{LIST}?q=many").context["page"].next_cursor
    second = cast.client("owner").get(HERE, {"all": "1", "q": "many", "page": rest})
    assert len(second.context["preview"].images) == 1


def test_no_subquery_about_manifests_joins_tables(cast: Cast) -> None:
    """PostgreSQL, wrong about how many rows there are, runs one again for each row around it: minutes for 50 images."""
    with CaptureQueriesContext(connection) as asked:
        assert cast.client("owner").get(HERE, {"all": "1"}).context["preview"].manifests == 7
    told = [each["sql"] for each in asked if "namespaces_descriptor" in each["sql"]]
    assert len(told) == 4
    assert not [sql for sql in told if re.search(r" IN \(SELECT [^()]* JOIN ", sql)]


def test_all_that_match_are_those_that_were_seen(cast: Cast) -> None:
    query = {"matching": "1", "q": "api"}
    page = cast.client("owner").get(HERE, query)
    assert "All 2 images that match “api”" in page.content.decode()
    sent = form(cast, "team-red", **query)
    make(cast, "api-2", "1.0")
    Image.objects.update(tag_count=1)
    late = cast.client("owner").post(HERE, sent)
    assert late.status_code == 400
    assert "has changed since you looked" in late.content.decode()
    assert "All 3 images" in late.content.decode()
    assert not Purge.objects.exists()
    assert (
        cast.client("owner")
        .post(HERE, sent | {"preview_digest": late.context["preview"].preview_digest})
        .status_code
        == 302
    )
    here = cast.client("owner").get(HERE, query | {"namespace": "other"})
    assert [each.image.repository for each in here.context["preview"].images] == ["other/api"]


@pytest.mark.parametrize("meanwhile", ["pushed", "deleted"])
def test_what_is_not_as_it_was_told_is_not_begun(cast: Cast, images: list[Image], meanwhile: str) -> None:
    sent = form(cast, "team", image=["team/api", "team/web"])
    if meanwhile == "pushed":
        put(images[1], "3.0")
    else:
        images[1].tags.all().delete()
        images[1].repository_manifests.update(gone_at=timezone.now())
    answer = cast.client("owner").post(HERE, sent)
    assert (answer.status_code, Purge.objects.exists()) == (400, False)
    assert "has changed since you looked" in answer.content.decode()


@pytest.mark.parametrize("typed", ["", "api", "other", "TEAM"])
def test_the_name_is_typed(cast: Cast, typed: str) -> None:
    answer = cast.client("owner").post(HERE, form(cast, typed, image=["team/api", "team/web"]))
    assert (answer.status_code, Purge.objects.exists()) == (400, False)
    assert "Type team to confirm" in answer.content.decode()


def test_what_is_not_here_is_not_there(cast: Cast) -> None:
    theirs = factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    make(cast, "secret", "1.0", namespace=theirs)
    page = cast.client("owner").get(HERE, {"image": ["theirs/secret", "team/none", "team/api"]})
    text = page.content.decode()
    assert "The image theirs/secret no longer exists" in text
    assert "The image team/none no longer exists" in text
    assert [each.image.name for each in page.context["preview"].images] == ["api"]
    assert cast.client("owner").get(HERE, {"matching": "1", "namespace": "theirs"}).status_code == 404
    only = cast.client("owner").get(HERE, {"image": "theirs/secret"})
    assert only.context["preview"].images == []
    assert cast.client("owner").post(HERE, {"image": "theirs/secret", "confirm": "secret"}).status_code == 400
    assert not Purge.objects.exists()


@pytest.mark.parametrize("query", [{}, {"matching": "1", "q": "nothing like it"}])
def test_nothing_that_is_chosen_is_no_error(cast: Cast, query: dict[str, str]) -> None:
    page = cast.client("owner").get(HERE, query)
    assert page.status_code == 200
    assert "No image selected" in page.content.decode()


def test_too_many_are_not_deleted_at_once(cast: Cast, settings: Any) -> None:
    ticked = [f"team/{number}" for number in range(101)]
    answer = cast.client("owner").get(HERE, {"image": ticked})
    assert answer.status_code == 400
    assert "Select at most 100 at once" in answer.content.decode()
    settings.MATCHING_MAX = 3
    answer = cast.client("owner").get(HERE, {"matching": "1"})
    assert answer.status_code == 400
    assert "More than 3 images match" in answer.content.decode()
    assert cast.client("owner").get(HERE, {"matching": "1", "namespace": "team"}).status_code == 200


def _work(purge: Purge) -> None:
    """As the worker would, of what the registry does."""
    purge_worker.work_due()
    RemovalItem.objects.filter(removal__purge=purge, state="waiting").update(state="done", outcome="done")
    Removal.objects.filter(purge=purge).update(state="done", due_at=None, finished_at=timezone.now())
    purge_worker.finish_if_done(purge.pk)
    purge.refresh_from_db()
    assert purge.state not in Purge.OPEN
    assert purge_service.deleted_items(purge).exists()
