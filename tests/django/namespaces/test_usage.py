"""Bytes of images, namespaces and accounts, shared layers counted once; and the page that shows them."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from psycopg.errors import QueryCanceled

from accounts.models import Account
from namespaces import usage
from namespaces.models import Descriptor, Image, Manifest, Namespace, RepositoryManifest, Usage
from tests import factories
from tests.cast import MEMBERS, Cast

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 1)


def held(image: Image, **layers: int) -> RepositoryManifest:
    """A manifest in the image, with these layers."""
    manifest: Manifest = factories.ManifestFactory()
    Descriptor.objects.bulk_create(
        Descriptor(manifest=manifest, kind="layer", digest=factories.digest_of(name), size=size)
        for name, size in layers.items()
    )
    return RepositoryManifest.objects.create(image=image, manifest=manifest)


@pytest.fixture
def images(cast: Cast) -> tuple[Image, Image, Image]:
    team, other = (factories.NamespaceFactory(account=cast.account, name=name) for name in ("team", "other"))
    return (
        factories.ImageFactory(namespace=team, name="one"),
        factories.ImageFactory(namespace=team, name="two"),
        factories.ImageFactory(namespace=other, name="three"),
    )


def test_shared_layers_are_counted_once_at_each_height(
    cast: Cast, images: tuple[Image, Image, Image]
) -> None:
    one, two, three = images
    held(one, base=100, app=10)
    held(one, base=100, app2=20)
    held(two, base=100)
    held(three, base=100, more=5)
    usage.measure(DAY)
    assert list(Image.objects.order_by("id").values_list("stored_bytes", flat=True)) == [130, 100, 105]
    assert dict(Namespace.objects.values_list("name", "stored_bytes")) == {"team": 130, "other": 105}
    assert usage.of_account(cast.account) == 135


def test_a_layer_that_two_manifests_give_two_sizes_is_one(
    cast: Cast, images: tuple[Image, Image, Image]
) -> None:
    held(images[0], base=100)
    held(images[0], base=90)
    usage.measure(DAY)
    assert Image.objects.get(pk=images[0].pk).stored_bytes == 100


def test_what_the_registry_no_longer_holds_does_not_count(
    cast: Cast, images: tuple[Image, Image, Image]
) -> None:
    gone = held(images[0], base=100)
    usage.measure(DAY)
    RepositoryManifest.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
    usage.measure(DAY + timedelta(days=1))
    assert usage.history(cast.account, since=DAY) == [(DAY, 100), (DAY + timedelta(days=1), 0)]
    assert Image.objects.get(pk=images[0].pk).stored_bytes == 0
    assert usage.of_account(cast.account) == 0


def test_a_day_has_one_figure_the_last_one(cast: Cast, images: tuple[Image, Image, Image]) -> None:
    held(images[0], base=100)
    usage.measure(DAY)
    held(images[0], more=1)
    usage.measure(DAY)
    assert usage.history(cast.account, since=DAY) == [(DAY, 101)]
    assert usage.history(cast.account, since=DAY, namespace=images[2].namespace) == [(DAY, 0)]


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_the_page(cast: Cast, images: tuple[Image, Image, Image], who: str) -> None:
    page = cast.client(who).get("/a/team-red/usage/").content.decode()
    assert "The chart appears" in page
    held(images[0], base=5_000_000)
    usage.measure(timezone.localdate())
    Usage.objects.create(
        account_id=cast.account.pk, day=timezone.localdate() - timedelta(days=9), stored_bytes=1
    )
    page = cast.client(who).get("/a/team-red/usage/").content.decode()
    assert "<polyline" in page
    assert "</span> more" in page


@pytest.mark.parametrize("page", ["usage/", "n/team/usage/", "n/team/", "n/team/i/one/"])
def test_what_tags_hold_what_the_history_knows_and_what_waits_are_three(
    cast: Cast, images: tuple[Image, Image, Image], page: str
) -> None:
    factories.TagFactory(image=images[0], manifest=held(images[0], base=5_000_000).manifest)
    held(images[0], old=3_000_000)
    gone = held(images[0], gone=2_000_000)
    address = f"/a/team-red/{page}"
    before = cast.client("viewer").get(address).content.decode()
    RepositoryManifest.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
    usage.measure(timezone.localdate())
    after = cast.client("viewer").get(address).content.decode()
    words = {"In tags": "5.0 MB", "In history only": "3.0 MB", "Waiting for garbage collection": "2.0 MB"}
    for word, figure in words.items():
        assert f"{word}</dt>" not in before
        assert figure not in before
        assert re.search(
            rf"{word}(</dt>\s*<dd>| <strong>)\s*(<span[^>]*>)?\s*{figure}".replace(" MB", r"\sMB"), after
        )
    assert re.search(r"Counted(</dt>\s*<dd>| <strong>)\s*<time", after)


@pytest.mark.parametrize("page", ["", "images/", "usage/", "n/team/usage/"])
def test_what_was_not_counted_yet_is_no_zero(
    cast: Cast, images: tuple[Image, Image, Image], page: str
) -> None:
    Image.objects.update(tag_count=1, size=7_000)
    address = f"/a/team-red/{page}" if page else "/?all=1"
    before = cast.client("viewer").get(address).content.decode()
    for image in images:
        held(image, base=5_000_000)
    usage.measure(timezone.localdate())
    after = cast.client("viewer").get(address).content.decode()
    assert ("not counted yet" in before, "0 B" in before) == (True, False)
    assert ("not counted yet" in after, "5.0 MB" in after) == (False, True)


def test_what_holds_nothing_holds_zero(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.account, name="empty")
    assert "0 B" in cast.client("viewer").get("/a/team-red/images/").content.decode()


def test_strangers_do_not(cast: Cast, client: Client) -> None:
    assert cast.client("stranger").get("/a/team-red/usage/").status_code == 404
    assert client.get("/a/team-red/usage/").status_code == 302


def test_nothing_of_another_account_counts(cast: Cast) -> None:
    held(factories.ImageFactory(), base=100)
    usage.measure(DAY)
    assert usage.of_account(cast.account) == 0


@pytest.mark.parametrize("who", MEMBERS)
def test_a_namespace_has_a_page_of_its_own(cast: Cast, images: tuple[Image, Image, Image], who: str) -> None:
    held(images[0], base=5_000_000)
    held(images[2], other=9_000_000)
    usage.measure(timezone.localdate())
    Usage.objects.create(
        account_id=cast.account.pk,
        namespace_id=images[0].namespace_id,
        stored_bytes=1,
        day=timezone.localdate() - timedelta(days=9),
    )
    assert "/a/team-red/n/team/usage/" in cast.client(who).get("/a/team-red/usage/").content.decode()
    page = cast.client(who).get("/a/team-red/n/team/usage/").content.decode()
    assert "Usage · team" in page
    assert 'href="/a/team-red/n/team/permissions/"' in page
    assert "team/one" in page
    assert "polyline" in page
    assert "other/three" not in page


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_others_do_not_see_the_page_of_a_namespace(
    cast: Cast, images: tuple[Image, Image, Image], who: str, status: int
) -> None:
    assert cast.client(who).get("/a/team-red/n/team/usage/").status_code == status


class Longest:
    """The database breaks off what counts all accounts together, and what counts this one."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "of_account" in sql and {*(params or ())} in (set(), {self.account.pk}):
            raise OperationalError from QueryCanceled()
        return execute(sql, params, many, context)


def test_one_account_that_takes_too_long_leaves_the_others_measured(
    cast: Cast, images: tuple[Image, Image, Image]
) -> None:
    heavy = factories.ImageFactory(stored_bytes=7)
    held(images[0], a=10)
    with connection.execute_wrapper(Longest(heavy.namespace.account)):
        usage.measure(DAY)
    assert usage.of_account(cast.account) == 10
    heavy.refresh_from_db()
    assert heavy.stored_bytes == 7


def test_accounts_that_take_too_long_each_time_are_not_the_first_each_time(
    cast: Cast, images: tuple[Image, Image, Image], settings: Any
) -> None:
    settings.USAGE_PASS = -1
    heavy = factories.ImageFactory().namespace.account
    Usage.objects.create(account_id=cast.account.pk, day=DAY - timedelta(days=1), stored_bytes=0)
    held(images[0], a=10)
    with connection.execute_wrapper(Longest(heavy)):
        for _each in range(2):
            usage.measure(DAY)
    assert usage.of_account(cast.account) == 10


def test_accounts_are_measured_by_themselves_in_turns(
    cast: Cast, images: tuple[Image, Image, Image], settings: Any
) -> None:
    settings.USAGE_PASS = -1  # one of them, and the time is up
    held(images[0], a=10)
    theirs = factories.ImageFactory(namespace__account=cast.elsewhere)
    held(theirs, b=20)
    with connection.execute_wrapper(Longest(factories.AccountFactory())):
        for _each in range(2):
            usage.measure(DAY)
    assert (usage.of_account(cast.account), usage.of_account(cast.elsewhere)) == (10, 20)


def test_where_nothing_is_yet_it_leads_to_the_first_steps(
    cast: Cast, images: tuple[Image, Image, Image]
) -> None:
    empty = factories.NamespaceFactory(account=cast.account, name="empty")
    steps = f'href="{empty.get_absolute_url()}">Go to the first steps'
    assert steps in cast.client("viewer").get("/a/team-red/n/empty/usage/").content.decode()
    assert "first steps" not in cast.client("viewer").get("/a/team-red/n/team/usage/").content.decode()


def test_an_account_without_namespaces_is_led_there_too(cast: Cast) -> None:
    steps = 'href="/a/team-red/images/">Go to the first steps'
    assert steps in cast.client("viewer").get("/a/team-red/usage/").content.decode()
