"""Behind a pull-through cache nothing is deleted, which is said before.

While its upstream is away nothing is taken from the inventory.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

import pytest
import requests
from django.core import serializers
from django.utils import timezone

from accounts.common.errors import Conflict
from namespaces.models import Image, Manifest, Namespace, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync import selectors
from registry_sync.client import RegistryClient, responses
from registry_sync.deletion import purge_scope, purge_worker, service
from registry_sync.models import Purge, Removal, Repository, SyncRun
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests.contract.conftest import bearer, configuration, push
from tests.contract.removals import Place, ends, place
from tests.contract.test_purge import purge, state, work
from tests.parts import images, registries
from tests.parts.fixtures import MakeRegistry
from tests.parts.registries import RunningRegistry
from tests.parts.scripted import Scripted, answer

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
BEHIND: dict[registries.Version, registries.Version] = {"2.8": "3.1", "3.1": "2.8"}


class Pair(NamedTuple):
    upstream: RunningRegistry
    cache: RunningRegistry


@pytest.fixture(scope="module", params=registries.VERSIONS)
def pair(
    request: pytest.FixtureRequest, make_registry: MakeRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    upstream = make_registry(BEHIND[request.param])
    push(upstream, "team/app", "1.0", images.Image())
    push(upstream, "team/app", "2.0", images.Image(env=["A=2"]))
    push(upstream, "team/several", "latest", *images.two_platforms(env=["A=3"]))
    folder = tmp_path_factory.mktemp("cache")
    config = configuration(folder) | {"proxy": {"remoteurl": upstream.url}}
    cache = make_registry(request.param, config, folder)
    for name, tag in (("team/app", "1.0"), ("team/several", "latest")):
        pull(cache, name, tag)
    wanted = ["team/app", "team/several"]  # it stores what it gave out a little later
    cache.process.wait_until(
        lambda: RegistryClient(cache.url, PanelTokens()).repositories().names == wanted, "catalog"
    )
    yield Pair(upstream, cache)
    cache.stop()
    upstream.stop()


def pull(cache: RunningRegistry, name: str, reference: str) -> None:
    """With all platforms and layers; only then is it in the catalog."""
    headers = bearer(name, "pull") | {"Accept": responses.MANIFEST_TYPES}
    found = requests.get(f"{cache.url}/v2/{name}/manifests/{reference}", headers=headers, timeout=120)
    for layer in found.json().get("layers", []):
        url = f"{cache.url}/v2/{name}/blobs/{layer['digest']}"
        assert requests.get(url, headers=headers, timeout=120).ok
    for platform in found.json().get("manifests", []):
        pull(cache, name, platform["digest"])


@contextmanager
def stopped(upstream: RunningRegistry) -> Iterator[None]:
    upstream.stop()
    try:
        yield
    finally:
        upstream.restart()


@contextmanager
def frozen(upstream: RunningRegistry) -> Iterator[None]:
    upstream.process.popen.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        upstream.process.popen.send_signal(signal.SIGCONT)


@contextmanager
def overloaded(upstream: RunningRegistry) -> Iterator[None]:
    upstream.stop()
    instead = Scripted(upstream.port, otherwise=answer(status=503, Connection="close"))
    try:
        yield
    finally:
        instead.stop()
        upstream.restart()


@pytest.fixture
def there(pair: Pair, db: None, settings: Any) -> Place:
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    made = place(pair.cache)
    made.sync()
    assert made.tags().keys() == {"1.0", "2.0"}
    return made


class Counting(RegistryClient):
    """`deletions`: what it was asked to delete."""

    def __init__(self, url: str) -> None:
        super().__init__(url, PanelTokens())
        self.deletions: list[str] = []

    def delete(
        self, repository: str, reference: str, *, before_sending: Callable[[], None] = lambda: None
    ) -> None:
        self.deletions.append(reference)
        super().delete(repository, reference, before_sending=before_sending)


def rows() -> str:
    shown = (Image, Tag, Manifest, RepositoryManifest, TagHistoryEntry, Repository)
    return serializers.serialize("json", [row for model in shown for row in model.objects.order_by("pk")])


def sync(cache: RunningRegistry) -> SyncRun:
    run = reconcile(RegistryClient(cache.url, PanelTokens()))
    assert run
    return run


@pytest.mark.parametrize("away", [stopped, frozen, overloaded])
def test_nothing_goes_while_the_upstream_is_away(
    pair: Pair, there: Place, away: Callable[[RunningRegistry], AbstractContextManager[None]]
) -> None:
    before = rows()
    with away(pair.upstream):
        for _twice in range(2):
            run = sync(pair.cache)
            assert (run.state, "upstream" in run.problem) == ("failed", True)
            assert rows() == before
        assert selectors.freshness(timezone.now()).state == "failed"
    there.sync()
    assert rows() == before
    assert selectors.freshness(timezone.now()).state == "live"


def test_what_the_upstream_has_anew_is_shown(pair: Pair, there: Place) -> None:
    moved = push(pair.upstream, "team/app", "2.0", images.Image(env=["A=new"]))
    there.sync()
    assert there.tags()["2.0"] == moved


def held(cache: RunningRegistry, name: str, reference: str) -> bool:
    headers = bearer(name, "pull") | {"Accept": responses.MANIFEST_TYPES}
    return requests.get(f"{cache.url}/v2/{name}/manifests/{reference}", headers=headers, timeout=120).ok


@pytest.mark.parametrize("what", ["tag", "manifest", "image", "namespace"])
def test_nothing_is_asked_of_it_and_the_reason_is_told_before(there: Place, what: str) -> None:
    before, image = rows(), there.image()
    assert "pull-through cache" in service.preview(image, tags=["1.0"]).blocked_reason
    assert (
        "pull-through cache"
        in purge_scope.preview(
            image.namespace.account, purge_scope.images_of(image.namespace, None), timezone.now()
        ).blocked_reason
    )
    with pytest.raises(Conflict, match="make them in its upstream registry"):
        {
            "tag": lambda: there.untag("1.0"),
            "manifest": lambda: there.delete("1.0"),
            "image": lambda: purge(there, image),
            "namespace": lambda: purge(there),
        }[what]()
    assert not Removal.objects.exists()
    assert not Purge.objects.exists()
    assert rows() == before


@pytest.mark.parametrize("what", ["image", "namespace"])
@pytest.mark.parametrize("upstream", ["there", "away"])
def test_a_purge_from_before_the_panel_was_told_ends_and_nothing_is_lost(
    pair: Pair, there: Place, settings: Any, what: str, upstream: str
) -> None:
    before, client = rows(), Counting(pair.cache.url)
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = False
    asked = purge(there, there.image() if what == "image" else None)
    purge_worker.work_due()
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    with stopped(pair.upstream) if upstream == "away" else nullcontext():
        work(there, client)
    now, problem = state(asked)
    assert now == "failed"
    assert problem.endswith("could not be deleted: the registry is a pull-through cache.")
    assert not client.deletions
    assert rows() == before
    assert Namespace.objects.filter(name="team").exists()


@pytest.mark.parametrize("what", ["image", "namespace"])
def test_a_purge_of_a_cache_that_nobody_told_the_panel_of_ends_and_nothing_is_lost(
    pair: Pair, there: Place, settings: Any, what: str
) -> None:
    """It answers 405 to DELETE, also where `storage.delete` is switched on."""
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = False
    before, client = rows(), Counting(pair.cache.url)
    asked = purge(there, there.image() if what == "image" else None)
    work(there, client)
    now, problem = state(asked)
    assert now == "failed"
    assert problem.endswith("switched off in the registry, or it is a pull-through cache.")
    assert len(client.deletions) == len(asked.cutoffs)  # once for each image
    assert rows() == before
    assert held(pair.cache, "team/app", "1.0")
    work(there)
    there.sync()
    assert (rows(), Namespace.objects.filter(name="team").exists()) == (before, True)


def test_what_it_fetches_anew_after_a_purge_is_shown(pair: Pair, there: Place) -> None:
    with pytest.raises(Conflict):
        purge(there)
    new = push(pair.upstream, "team/fresh", "1.0", images.Image(env=["A=fresh"]))
    pull(pair.cache, "team/fresh", "1.0")
    pair.cache.process.wait_until(
        lambda: "team/fresh" in RegistryClient(pair.cache.url, PanelTokens()).repositories().names, "catalog"
    )
    there.sync()
    assert Tag.objects.get(image__name="fresh").manifest_id == new


def test_a_removal_takes_nothing_from_the_inventory(pair: Pair, there: Place, settings: Any) -> None:
    before = there.tags()
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = False
    removal = there.untag("1.0")
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    with stopped(pair.upstream):
        there.work()
    assert ends(removal) == ("failed", ["pull_through_cache"])
    assert there.tags() == before
