"""What a deletion is said to free is what waits for garbage collection afterwards, to the byte."""

import random

import pytest
from django.utils import timezone

from accounts.models import Account
from namespaces.models import Descriptor, FormerManifest, Image, Manifest, RepositoryManifest
from registry_sync.deletion import freed_space, graph, purge_scope
from registry_sync.deletion.freed_space import FreedSpace
from registry_sync.deletion.impact import impact
from registry_sync.doctor import REPOSITORY
from registry_sync.inventory import uncollected
from registry_sync.models import Repository
from tests import factories
from tests.django.namespaces.test_usage_figures import hold, lose, manifest

pytestmark = pytest.mark.django_db


@pytest.fixture
def image() -> Image:
    made: Image = factories.ImageFactory()
    return made


@pytest.fixture
def beside(image: Image) -> Image:
    made: Image = factories.ImageFactory(namespace=image.namespace)
    return made


def of(image: Image, *chosen: Manifest) -> FreedSpace:
    digests = {each.digest for each in chosen}
    loaded = graph.load_graph(image, digests)
    return freed_space.of_deletions(image, loaded, impact(loaded, digests=digests).deletions)


def test_a_shared_layer_stays_and_is_said_to(image: Image) -> None:
    one, two = manifest("one", 5, base=100, app=10), manifest("two", 6, base=100)
    hold(image, one, two)
    assert of(image, one) == FreedSpace(15, 100)
    assert of(image, one, two) == FreedSpace(121, 0)


def test_a_manifest_that_another_image_holds_too_frees_nothing(image: Image, beside: Image) -> None:
    one = manifest("one", 5, base=100)
    hold(image, one)
    hold(beside, one)
    assert of(image, one) == FreedSpace(0, 105)
    images = [image.pk]
    assert freed_space.of_images(image.namespace.account, images) == FreedSpace(0, 105)


def test_an_index_that_stays_keeps_the_body_of_what_it_lists(image: Image) -> None:
    platform = manifest("platform", 5, layer=100)
    hold(image, platform, manifest("index", 7, lists=[platform]))
    assert of(image, platform) == FreedSpace(100, 5)
    assert of(image, Manifest.objects.get(digest=factories.digest_of("index"))) == FreedSpace(112, 0)


def test_what_a_deleted_namespace_left_in_the_registry_is_needed(image: Image) -> None:
    one, left = manifest("one", 5, base=100, app=10), manifest("left", 6, base=100)
    hold(image, one)
    FormerManifest.objects.create(account_id=image.namespace.account_id, repository="old/app", manifest=left)
    assert of(image, one) == FreedSpace(15, 100)
    assert freed_space.of_images(image.namespace.account, [image.pk]) == FreedSpace(15, 100)


def test_what_others_hold_is_not_told_and_the_figure_is_the_most(image: Image) -> None:
    one = manifest("one", 5, base=100)
    hold(image, one)
    images = [image.pk]
    assert of(image, one) == FreedSpace(105, 0)
    stranger = factories.ImageFactory()
    before = of(image, one), freed_space.of_images(image.namespace.account, images)
    hold(stranger, one)
    after = of(image, one), freed_space.of_images(image.namespace.account, images)
    assert before == after == (FreedSpace(105, 0, freed_exactly=False),) * 2
    assert freed_space.of_images(image.namespace.account, []) == FreedSpace(freed_exactly=False)


@pytest.mark.parametrize("at_once", [1, 2])
def test_many_blobs_are_compared_in_parts(image: Image, beside: Image, at_once: int) -> None:
    hold(image, manifest("one", 5, base=100, app=10, own=1))
    hold(beside, manifest("two", 6, base=100, app=10))
    assert freed_space.of_images(image.namespace.account, [image.pk], at_once=at_once) == FreedSpace(6, 110)


@pytest.mark.parametrize(("name", "exactly"), [("elsewhere/app", False), (REPOSITORY, True)])
def test_a_repository_that_no_account_owns_may_share(image: Image, name: str, exactly: bool) -> None:
    one = manifest("one", 5, base=100)
    hold(image, one)
    Repository.objects.create(name=name)
    assert of(image, one).freed_exactly is exactly


def test_what_cannot_be_read_may_share(image: Image, beside: Image) -> None:
    one, odd = manifest("one", 5, base=100), manifest("odd", 6)
    Manifest.objects.filter(pk=odd.pk).update(kind="unknown")
    hold(image, one)
    hold(beside, odd)
    assert not of(image, one).freed_exactly
    lose(beside, odd)
    assert of(image, one).freed_exactly


def test_of_very_many_manifests_the_stored_size_is_the_most(image: Image) -> None:
    hold(image, manifest("one", 5, base=100))
    Repository.objects.create(name=image.repository, image=image)
    Image.objects.update(stored_bytes=77)
    account = image.namespace.account
    found = purge_scope.preview(account, Image.objects.all(), timezone.now(), exact_max=0)
    assert found.space == FreedSpace(77, freed_exactly=False)


def test_in_many_worlds_what_is_promised_waits_afterwards() -> None:
    dice = random.Random(3)
    account: Account = factories.AccountFactory()
    layers = {f"layer{number}": 10**number for number in range(5)}
    for world in range(25):
        for model in (RepositoryManifest, Descriptor, Manifest, Image):
            model.objects.all().delete()
        images = [factories.ImageFactory(namespace__account=account) for _ in range(2)]
        made: list[Manifest] = []
        for number in range(7):
            some = dict(dice.sample(sorted(layers.items()), dice.randint(0, 3)))
            lists = dice.sample(made, min(len(made), dice.choice([0, 0, 1, 2])))
            made.append(manifest(f"m{number}", 10**6 * 2**number, lists=lists, **some))
        for image in images:
            hold(image, *dice.sample(made, dice.randint(1, 7)))
        image = images[0]
        held = list(Manifest.objects.filter(repository_manifests__image=image).order_by("digest"))
        if world % 2:
            promised = freed_space.of_images(account, [image.pk])
            lose(image, *held)
        else:
            digests = {each.digest for each in dice.sample(held, dice.randint(1, len(held)))}
            loaded = graph.load_graph(image, digests)
            deletions = impact(loaded, digests=digests).deletions
            promised = freed_space.of_deletions(image, loaded, deletions)
            lose(image, *Manifest.objects.filter(digest__in=[each.digest for each in deletions]))
        assert uncollected.total().size_bytes == promised.freed_bytes
