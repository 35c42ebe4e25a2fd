"""What the registry cannot answer about one image concerns that image: everybody else's is read, and shown as true."""

from collections.abc import Iterator

import pytest

from accounts.models import Person
from namespaces.models import Image, Manifest, Namespace, RepositoryManifest, Tag
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile import shards
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.cast import client_for
from tests.parts import images
from tests.parts.images import Blob
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
TWO = images.two_platforms()
INDEX = images.index(TWO)


@pytest.fixture(autouse=True)
def _inventory() -> None:
    for name in ("odd", "team"):
        factories.NamespaceFactory(name=name)


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["odd/app", "team/app"]})
    for name in ("odd", "team"):
        holds(script, name, {"1.0": images.Image(labels={"of": name})})
    yield script
    script.stop()


def holds(web: Scripted, namespace: str, tags: dict[str, images.Image | Blob]) -> None:
    web.says[f"/v2/{namespace}/app/tags/list"] = answer({"tags": list(tags)})
    for tag, thing in tags.items():
        blob = thing if isinstance(thing, Blob) else thing.manifest
        for reference in (tag, blob.digest):
            web.says[f"/v2/{namespace}/app/manifests/{reference}"] = served(blob)
        if not isinstance(thing, Blob):
            web.says[f"/v2/{namespace}/app/blobs/{thing.config.digest}"] = served(thing.config)


def served(blob: Blob) -> Answer:
    return answer(blob.content, Content_Type=blob.media_type)


def sync(web: Scripted) -> SyncRun:
    run = reconcile(web.client())
    assert run
    return run


def digests() -> dict[str, str]:
    rows = Tag.objects.select_related("image__namespace")
    return {f"{row.image.namespace.name}:{row.name}": row.manifest_id for row in rows}


@pytest.mark.parametrize("status", [500, 503])
def test_a_platform_that_is_an_error_leaves_its_index_shown(web: Scripted, status: int) -> None:
    holds(web, "odd", {"1.0": INDEX, "amd": TWO[0]})
    web.says[f"/v2/odd/app/manifests/{TWO[1].digest}"] = answer(status=status)
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 0)
    assert digests()["odd:1.0"] == INDEX.digest
    assert RepositoryManifest.objects.get(manifest=INDEX.digest).due_at  # it may have been for a moment
    assert RepositoryManifest.objects.get(manifest=TWO[0].digest).due_at is None


def test_a_config_that_is_an_error_leaves_its_image_shown(web: Scripted) -> None:
    holds(web, "odd", {"1.0": TWO[0]})
    web.says[f"/v2/odd/app/blobs/{TWO[0].config.digest}"] = answer(status=500)
    assert sync(web).state == SyncRun.State.DONE
    assert RepositoryManifest.objects.get(manifest=TWO[0].digest).due_at


def test_where_the_registry_answers_nothing_else_either_it_proves_nothing(web: Scripted) -> None:
    """Its storage may be away, and every new image would lose its platforms for minutes."""
    whole = web.says["/v2/_catalog"]
    assert isinstance(whole, Answer)
    web.by_request["/v2/_catalog"] = lambda asked: answer(status=500) if "n=1&" in f"{asked.path}&" else whole
    holds(web, "odd", {"1.0": INDEX, "amd": TWO[0]})
    web.says[f"/v2/odd/app/manifests/{TWO[1].digest}"] = answer(status=500)
    sync(web)
    assert "odd:1.0" not in digests()
    assert not Manifest.objects.filter(digest=INDEX.digest).exists()
    del web.by_request["/v2/_catalog"]
    sync(web)
    assert digests()["odd:1.0"] == INDEX.digest


@pytest.mark.parametrize("how", [answer(status=500), answer(drop=True)])
def test_many_of_one_repository_keep_no_other_image_from_being_read(web: Scripted, how: Answer) -> None:
    """Be it the manifests, or the configs, or the entries of an index: in the same order each time."""
    odd = {f"v{n}": images.Image(labels={"n": str(n)}) for n in range(40)}
    index = images.index(list(odd.values()))
    holds(web, "odd", {**odd, "0": index})
    for image in odd.values():
        web.says[f"/v2/odd/app/blobs/{image.config.digest}"] = how
    for tag in list(odd)[:20]:
        web.says[f"/v2/odd/app/manifests/{tag}"] = how
    assert sync(web).state == SyncRun.State.DONE
    assert "team:1.0" in digests()
    assert Repository.objects.get(name="odd/app").problem
    assert not Repository.objects.get(name="team/app").problem


def test_a_repository_that_hangs_is_given_up_before_the_others_are(web: Scripted) -> None:
    names = [f"v{n}" for n in range(400)]
    web.says["/v2/odd/app/tags/list"] = answer({"tags": names})
    for name in names:
        web.says[f"/v2/odd/app/manifests/{name}"] = answer(drop=True)
    later = [f"r{n}" for n in range(50)]
    web.says["/v2/_catalog"] = answer(
        {"repositories": ["odd/app", "team/app", *(f"team/{n}" for n in later)]}
    )
    for name in later:
        web.says[f"/v2/team/{name}/tags/list"] = answer({"tags": []})
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
    assert list(digests()) == ["team:1.0"]
    assert len([path for path in web.asked if "/odd/app/manifests/" in path]) < 300


def test_a_registry_that_goes_away_in_a_run_leaves_it_incomplete(web: Scripted) -> None:
    """What it answers no more at all is of the whole, and not of each repository."""
    names = [f"team/r{n}" for n in range(100)]
    whole = answer({"repositories": ["team/app", *names]})
    web.by_request["/v2/_catalog"] = lambda asked: answer(drop=True) if "n=1&" in f"{asked.path}&" else whole
    for name in names:
        web.says[f"/v2/{name}/tags/list"] = answer(drop=True)
    run = sync(web)
    assert run.state == SyncRun.State.INCOMPLETE
    assert "the registry no longer answers" in run.problem


def test_the_light_of_a_page_speaks_of_what_the_page_shows(web: Scripted, operator: Person) -> None:
    sync(web)
    web.says["/v2/odd/app/manifests/1.0"] = answer(status=500)
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
    seen: dict[str, list[bool]] = {}
    for name in ("odd", "team"):
        image = Image.objects.get(namespace__name=name)
        client = client_for(factories.MemberFactory(account=image.namespace.account).person)
        tag = Tag.objects.get(image=image)
        for page in (
            image.get_absolute_url(),
            tag.get_absolute_url(),
            f"/a/{image.namespace.account.handle}/images/",
        ):
            seen.setdefault(name, []).append("Not everything could be read" in client.get(page).text)
            line = client.get(
                "/freshness/", headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
            )
            seen[name].append("Not everything could be read" in line.text)
        seen[name].append(client.get("/api/v1/sync/").json()["state"] == "stale")
    assert seen == {"odd": [True] * 7, "team": [False] * 7}
    assert "1 repository, or some of its tags, could not be read" in client_for(operator).get("/system/").text


def test_whoever_names_anothers_page_hears_nothing_of_it(web: Scripted) -> None:
    sync(web)
    web.says["/v2/odd/app/manifests/1.0"] = answer(status=500)
    sync(web)
    theirs = Image.objects.get(namespace__name="odd").get_absolute_url()
    client = client_for(
        factories.MemberFactory(account=Image.objects.get(namespace__name="team").namespace.account).person
    )
    line = client.get(
        "/freshness/", headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{theirs}"}
    )
    assert "Not everything could be read" not in line.text


def test_trouble_comes_first_a_few_times_and_then_with_all_others(web: Scripted) -> None:
    sync(web)
    team = Repository.objects.get(name="team/app")
    account = Namespace.objects.get(name="odd").account
    Namespace.objects.filter(name="team").update(account=account)
    web.says["/v2/team/app/manifests/1.0"] = answer(status=500)
    order = []
    for _run in range(Repository.FAILURES_MAX + 1):
        sync(web)
        run = SyncRun.objects.create(state=SyncRun.State.RUNNING)
        shards.create_shards(run)
        order.append(run.shards.get().repositories[0] == team.pk)
        run.delete()
    assert order == [True] * (Repository.FAILURES_MAX - 1) + [False] * 2
    assert Repository.objects.get(name="team/app").failures == Repository.FAILURES_MAX
    web.asked.clear()
    sync(web)
    assert web.asked.count("/v2/team/app/manifests/1.0") == 1  # and none of it is tried again
    holds(web, "team", {"1.0": images.Image(labels={"of": "team"})})
    sync(web)
    assert Repository.objects.get(name="team/app").failures == 0
