"""What releases of Distribution say differently, by a script with their very words, comes to the same inventory."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from namespaces.models import Tag
from registry_sync.client import RegistryClient
from registry_sync.models import Drift, Repository, SyncRun
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
TAGS, MANIFEST = "/v2/team/app/tags/list", "/v2/team/app/manifests/1.0"


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["team/app"]})
    script.says[TAGS] = answer({"tags": ["1.0"]})
    script.says[MANIFEST] = answer(status=304)
    yield script
    script.stop()


@pytest.fixture(autouse=True)
def _inventory() -> None:
    image = factories.ImageFactory(namespace=factories.NamespaceFactory(name="team"), name="app", tag_count=1)
    factories.TagFactory(image=image, name="1.0", pushed_at=datetime.now(UTC))
    Repository.objects.create(name="team/app", image=image)


def client(web: Scripted) -> RegistryClient:
    return web.client()


@pytest.mark.parametrize("nothing_more", [None, []], ids=["3.1.1", "3.1.2"])
def test_the_page_behind_the_last_name(web: Scripted, nothing_more: list[str] | None) -> None:
    first = answer({"name": "team/app", "tags": ["1.0"]}, Link=f'<{TAGS}?last=1.0&n=1>; rel="next"')
    last = answer({"name": "team/app", "tags": nothing_more})
    web.by_request[TAGS] = lambda request: last if "last=" in request.path else first
    assert client(web).tags("team/app") == ["1.0"]
    run = reconcile(client(web))
    assert run
    assert (run.state, run.changes, Tag.objects.count()) == (SyncRun.State.DONE, 0, 1)


def test_a_name_that_the_list_on_s3_lacks_stays(web: Scripted) -> None:
    """As 3.1.0 and 3.1.1 list `0.1.20` and not `0.1.2`: asked for by name, it is there."""
    web.says[TAGS] = answer({"name": "team/app", "tags": None})
    run = reconcile(client(web))
    assert run
    assert (run.state, run.changes) == (SyncRun.State.DONE, 0)
    assert Tag.objects.get().missing_since is None
    assert not Drift.objects.exists()


def test_tags_are_never_asked_for_in_pages(web: Scripted) -> None:
    """On S3 pages lose names, in 3.1.2 too."""
    client(web).tags("team/app")
    reconcile(client(web))
    assert [path for path in web.asked if path.startswith(TAGS)] == [TAGS, TAGS]


@pytest.mark.parametrize(
    "said",
    [
        answer({"errors": [{"code": "UNKNOWN", "message": "unknown error", "detail": "filesystem: invalid path"}]},
               status=500),
        answer({"errors": [{"code": "DIGEST_INVALID", "message": "provided digest did not match uploaded content"}]},
               status=400),
    ],
    ids=["3.1.1", "3.1.2"],
)  # fmt: skip
def test_a_refused_reference_proves_no_absence(web: Scripted, said: Answer) -> None:
    web.says[MANIFEST] = said
    reconcile(client(web))
    assert Tag.objects.get().unreadable_since
