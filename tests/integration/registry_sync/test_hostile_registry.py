"""A registry that is down, wrong or hostile: nothing of the picture changes, and the run says why."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import requests
import responses
from django.core import serializers

from namespaces.models import Image, Tag
from registry_sync.client import MANIFEST_MAX, Registry
from registry_sync.models import Repository, SyncRun
from registry_sync.sync.reconcile import reconcile
from tests import factories

pytestmark = pytest.mark.django_db
URL = "http://registry.test"
CATALOG, TAGS, MANIFEST = (
    f"{URL}/v2/_catalog",
    f"{URL}/v2/team/app/tags/list",
    f"{URL}/v2/team/app/manifests/1.0",
)
Broken = Callable[[responses.RequestsMock], object]


@pytest.fixture(autouse=True)
def _picture() -> None:
    namespace = factories.NamespaceFactory(name="team")
    image = factories.ImageFactory(namespace=namespace, name="app", tag_count=1)
    factories.TagFactory(image=image, name="1.0", pushed_at=datetime.now(UTC))
    Repository.objects.create(name="team/app", image=image)


def sync() -> SyncRun:
    run = reconcile(Registry(URL, lambda _scope: "token"))
    assert run
    return run


def picture() -> str:
    return serializers.serialize("json", [*Image.objects.all(), *Tag.objects.all()])


def error(code: str) -> dict[str, list[dict[str, str]]]:
    return {"errors": [{"code": code, "message": ""}]}


@pytest.mark.parametrize(
    "broken",
    [
        lambda web: web.get(CATALOG, body=requests.ConnectionError()),
        lambda web: web.get(CATALOG, body=requests.Timeout()),
        lambda web: web.get(CATALOG, status=500),
        lambda web: web.get(CATALOG, status=429),
        lambda web: web.get(CATALOG, status=401, json=error("UNAUTHORIZED")),
        lambda web: web.get(CATALOG, status=404, body="not here"),
        lambda web: web.get(CATALOG, body="<html>Sign in</html>"),
        lambda web: web.get(CATALOG, body='{"repositories": ["team'),
        lambda web: web.get(CATALOG, json=[]),
        lambda web: web.get(CATALOG, json={}),
        lambda web: web.get(CATALOG, json={"repositories": [1]}),
        lambda web: web.get(CATALOG, body="[" * 200_000),
        lambda web: web.get(CATALOG, status=302, headers={"Location": "http://evil.test/"}),
        lambda web: web.get(
            CATALOG, json={"repositories": ["a/b"]}, headers={"Link": '</v2/_catalog?n=1000>; rel="next"'}
        ),
        lambda web: web.get(
            CATALOG, json={"repositories": []}, headers={"Link": '<http://evil.test/v2/?last=a>; rel="next"'}
        ),
        lambda web: web.get(
            CATALOG, json={"repositories": []}, headers={"Link": '</v2/_catalog?last=a>; rel="next"'}
        ),
    ],
)
def test_a_catalog_that_cannot_be_believed_changes_nothing(broken: Broken) -> None:
    before = picture()
    for _twice in range(2):
        with responses.RequestsMock() as web:
            broken(web)
            run = sync()
        assert run.state == SyncRun.State.FAILED
        assert run.problem
    assert picture() == before


@pytest.mark.parametrize(
    "broken",
    [
        lambda web: web.get(TAGS, status=500),
        lambda web: web.get(TAGS, body="garbage"),
        lambda web: web.get(TAGS, status=404, body="a proxy's page"),
        lambda web: web.get(TAGS, json={"name": "team/app"}),
        lambda web: web.get(TAGS, body=requests.ConnectionError()),
    ],
)
def test_a_tag_list_that_cannot_be_believed_changes_nothing(broken: Broken) -> None:
    before = picture()
    for _twice in range(2):
        with responses.RequestsMock() as web:
            web.get(CATALOG, json={"repositories": ["team/app"]})
            broken(web)
            run = sync()
        assert run.state == SyncRun.State.INCOMPLETE
        assert Repository.objects.get().problem
    assert picture() == before


@pytest.mark.parametrize(
    "broken",
    [
        lambda web: web.get(MANIFEST, body="{}", headers={"Docker-Content-Digest": "sha256:" + "0" * 64}),
        lambda web: web.get(MANIFEST, body=b"x" * (MANIFEST_MAX + 1)),
        lambda web: web.get(MANIFEST, status=404, json=error("MANIFEST_UNKNOWN")),
        lambda web: web.get(MANIFEST, status=400),
    ],
)
def test_a_manifest_that_lies_or_is_gone_leaves_its_tag(broken: Broken) -> None:
    before = picture()
    for _twice in range(2):
        with responses.RequestsMock() as web:
            web.get(CATALOG, json={"repositories": ["team/app"]})
            web.get(TAGS, json={"tags": ["1.0"]})
            broken(web)
            sync()
    assert picture() == before


def test_null_tags_mean_none_and_take_two_lists_to_remove() -> None:
    for left in (1, 0):
        with responses.RequestsMock() as web:
            web.get(CATALOG, json={"repositories": ["team/app"]})
            web.get(TAGS, json={"tags": None})
            assert sync().state == SyncRun.State.DONE
        assert Tag.objects.count() == left


def test_a_repository_takes_two_catalogs_to_vanish() -> None:
    for left in (1, 0):
        with responses.RequestsMock() as web:
            web.get(CATALOG, json={"repositories": []})
            assert sync().state == SyncRun.State.DONE
        assert Image.objects.count() == left
