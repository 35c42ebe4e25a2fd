"""Behind a pull-through cache whose upstream is away, nothing is taken from the picture, and the run says why."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import pytest
import requests
from django.core import serializers
from django.utils import timezone

from namespaces.models import Image, Manifest, Revision, Tag, TagMove
from registry_sync import selectors
from registry_sync.client import Registry, answers
from registry_sync.connection import OwnTokens
from registry_sync.models import Repository, SyncRun
from registry_sync.sync.reconcile import reconcile
from tests.contract.conftest import bearer, configuration, push
from tests.contract.removals import Place, ends, place
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
        lambda: Registry(cache.url, OwnTokens()).repositories().names == wanted, "catalog"
    )
    yield Pair(upstream, cache)
    cache.stop()
    upstream.stop()


def pull(cache: RunningRegistry, name: str, reference: str) -> None:
    """With all platforms and layers; only then is it in the catalog."""
    headers = bearer(name, "pull") | {"Accept": answers.MANIFEST_TYPES}
    found = requests.get(f"{cache.url}/v2/{name}/manifests/{reference}", headers=headers, timeout=60)
    for layer in found.json().get("layers", []):
        url = f"{cache.url}/v2/{name}/blobs/{layer['digest']}"
        assert requests.get(url, headers=headers, timeout=60).ok
    for platform in found.json().get("manifests", []):
        pull(cache, name, platform["digest"])


@contextmanager
def stopped(upstream: RunningRegistry) -> Iterator[None]:
    upstream.stop()
    yield
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
    yield
    instead.stop()
    upstream.restart()


@pytest.fixture
def there(pair: Pair, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    settings.REGISTRY_IS_CACHE = True
    monkeypatch.setattr(answers, "READ", 1)  # seconds, of who never answers
    made = place(pair.cache)
    made.sync()
    assert Tag.objects.count() == 3
    return made


def rows() -> str:
    shown = (Image, Tag, Manifest, Revision, TagMove, Repository)
    return serializers.serialize("json", [row for model in shown for row in model.objects.order_by("pk")])


def sync(cache: RunningRegistry) -> SyncRun:
    run = reconcile(Registry(cache.url, OwnTokens()))
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


def test_a_removal_takes_nothing_from_the_picture(pair: Pair, there: Place) -> None:
    before = there.tags()
    removal = there.untag("1.0")
    with stopped(pair.upstream):
        there.work()
    assert ends(removal) == ("failed", ["cache"])
    assert there.tags() == before
