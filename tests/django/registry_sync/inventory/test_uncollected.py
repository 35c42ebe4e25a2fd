"""Which blobs wait for garbage collection, next to a marking of our own in plain sets."""

import random
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from namespaces import former_manifests
from namespaces.models import Descriptor, FormerManifest, Image, Manifest, RepositoryManifest
from registry_sync.inventory import uncollected
from registry_sync.models import Repository
from registry_sync.reclaim import facts
from tests import factories, statements

pytestmark = pytest.mark.django_db


def manifest(name: str, body_bytes: int, *, lists: tuple[Manifest, ...] = (), **layers: int) -> Manifest:
    made: Manifest = factories.ManifestFactory(digest=factories.digest_of(name), body_bytes=body_bytes)
    parts = [("layer", factories.digest_of(layer), size) for layer, size in layers.items()]
    parts += [("manifest", child.digest, 1) for child in lists]
    Descriptor.objects.bulk_create(
        Descriptor(manifest=made, kind=kind, digest=digest, size=size) for kind, digest, size in parts
    )
    return made


def hold(image: Image, *manifests: Manifest) -> None:
    for each in manifests:
        RepositoryManifest.objects.update_or_create(image=image, manifest=each, defaults={"gone_at": None})


def lose(image: Image, *manifests: Manifest) -> None:
    RepositoryManifest.objects.filter(image=image, manifest__in=manifests).update(gone_at=timezone.now())


def waiting() -> int:
    assert uncollected.total().size_bytes == sum(blob.size_bytes for blob in uncollected.blobs())
    return uncollected.total().size_bytes


@pytest.fixture
def image() -> Image:
    made: Image = factories.ImageFactory()
    Repository.objects.create(name=made.repository, image=made)
    return made


def test_what_is_held_does_not_wait_and_what_went_does_with_its_manifest(image: Image) -> None:
    one, two = manifest("one", 7, base=100, app=10), manifest("two", 8, base=100, other=20)
    hold(image, one, two)
    assert uncollected.total() == uncollected.UncollectedTotal(0, 0)
    lose(image, one)
    assert uncollected.total() == uncollected.UncollectedTotal(2, 17)
    lose(image, two)
    assert waiting() == 100 + 10 + 20 + 7 + 8


def test_what_another_image_of_anybody_holds_stays(image: Image) -> None:
    shared, elsewhere = manifest("shared", 5, base=100), factories.ImageFactory()
    hold(image, shared)
    hold(elsewhere, shared)
    lose(image, shared)
    assert waiting() == 0
    assert not list(uncollected.blobs())
    lose(elsewhere, shared)
    assert waiting() == 105
    assert uncollected.by_account() == {
        image.namespace.account_id: 105,
        elsewhere.namespace.account_id: 105,
    }


def test_a_manifest_that_a_held_index_lists_keeps_its_body_alone(image: Image) -> None:
    child = manifest("child", 5, base=100)
    index = manifest("index", 9, lists=(child,))
    hold(image, child, index)
    lose(image, child)
    assert (
        waiting() == 100
    )  # as the registry marks what an index names, and looks into what the repository holds
    lose(image, index)
    assert waiting() == 100 + 5 + 9


def test_what_was_pushed_again_waits_no_more(image: Image) -> None:
    one = manifest("one", 5, base=100)
    hold(image, one)
    lose(image, one)
    hold(image, one)
    assert waiting() == 0


def test_after_a_collection_nothing_waits_until_something_goes_again(image: Image) -> None:
    one, two = manifest("one", 5, base=100), manifest("two", 6, base=100, app=10)
    hold(image, one, two)
    lose(image, one)
    uncollected.note_collected(until=timezone.now())
    assert waiting() == 0
    lose(image, two)
    assert waiting() == 6 + 10 + 100
    uncollected.note_collected(until=timezone.now() - timedelta(hours=1))
    assert waiting() == 6 + 10 + 100
    uncollected.note_collected(until=timezone.now())
    hold(image, one)
    lose(image, one)
    assert waiting() == 5 + 100


def test_what_a_collection_at_a_moment_would_have_freed(image: Image) -> None:
    one, two, back = (
        manifest("one", 5, base=100, app=10),
        manifest("two", 6, base=100),
        manifest("back", 7, again=1),
    )
    hold(image, one, two, back)
    lose(image, one, back)
    moment = timezone.now()
    lose(image, two)
    hold(image, back)
    assert {blob.size_bytes for blob in uncollected.blobs(until=moment)} == {5, 10}  # two needed base still
    assert {blob.size_bytes for blob in uncollected.blobs()} == {5, 10, 6, 100}


def test_nothing_is_looked_up_for_each_blob_by_a_subquery(image: Image) -> None:
    """PostgreSQL, wrong about how many rows there are, ran each for ever: 75,000 blobs took more than minutes."""
    gone = manifest("gone", 5, base=100)
    hold(image, gone)
    lose(image, gone)
    with statements.counted() as asked:
        assert (waiting(), uncollected.by_account()) == (105, {image.namespace.account_id: 105})
    assert len(asked) == 8
    assert not [sql for sql in asked if re.search(r"EXISTS|IN \(SELECT", sql)]


def test_more_blobs_than_are_compared_at_once(image: Image) -> None:
    layers = {f"layer{number}": 1 for number in range(uncollected._COMPARED_AT_ONCE + 2)}
    still = dict(list(layers.items())[::2])
    gone = manifest("gone", 5, **layers)
    hold(image, gone, manifest("held", 6, **still))
    lose(image, gone)
    assert waiting() == 5 + len(layers) - len(still)


def test_rows_that_go_with_their_namespace_leave_what_waits_and_what_is_still_held(image: Image) -> None:
    gone, kept = manifest("gone", 5, base=100, app=10), manifest("kept", 6, base=100)
    hold(image, gone, kept)
    lose(image, gone)
    former_manifests.keep(Image.objects.filter(pk=image.pk))
    image.delete()
    assert waiting() == 5 + 10
    assert {blob.repository for blob in uncollected.blobs()} == {Repository.objects.get().name}
    assert uncollected.by_account() == {Account.objects.get().pk: 15}
    former_manifests.note_gone([Repository.objects.get().name], timezone.now())
    assert waiting() == 5 + 10 + 6 + 100
    uncollected.note_collected(until=timezone.now())
    assert not FormerManifest.objects.exists()


def test_what_was_collected_before_is_not_kept_with_a_namespace(image: Image) -> None:
    gone = manifest("gone", 5, base=100)
    hold(image, gone)
    lose(image, gone)
    uncollected.note_collected(until=timezone.now())
    former_manifests.keep(Image.objects.all())
    assert not FormerManifest.objects.exists()


def test_a_repository_that_the_registry_lists_no_more_holds_nothing(image: Image) -> None:
    hold(image, manifest("one", 5, base=100))
    former_manifests.keep(Image.objects.all(), gone_at=timezone.now())
    image.delete()
    assert waiting() == 105


def test_what_an_image_of_the_name_has_again_is_its_own(image: Image) -> None:
    one, two = manifest("one", 5, base=100), manifest("two", 6, other=20)
    hold(image, one, two)
    former_manifests.keep(Image.objects.all())
    RepositoryManifest.objects.filter(manifest=two).delete()
    uncollected.forget_returned()
    assert FormerManifest.objects.get().manifest == two


def test_many_worlds_agree_with_a_plain_marking() -> None:
    dice = random.Random(1)
    for _world in range(40):
        _clear()
        images = [factories.ImageFactory() for _ in range(3)]
        layers = {f"layer{number}": 10**number for number in range(6)}
        manifests, bodies, lists = [], {}, {}
        for number in range(8):
            some = dict(dice.sample(sorted(layers.items()), dice.randint(0, 3)))
            children = tuple(dice.sample(manifests, min(len(manifests), dice.choice([0, 0, 1, 2]))))
            made = manifest(f"manifest{number}", 10_000_000 * 2**number, lists=children, **some)
            manifests.append(made)
            bodies[made.digest] = {factories.digest_of(name): size for name, size in some.items()}
            lists[made.digest] = {child.digest for child in children}
        held, gone = set[str](), set[str]()
        for image in images:
            for each in dice.sample(manifests, dice.randint(0, 8)):
                hold(image, each)
                if dice.random() < 0.5:
                    lose(image, each)
                    gone.add(each.digest)
                else:
                    held.add(each.digest)
        marked = held | {part for digest in held for part in (*bodies[digest], *lists[digest])}
        sizes = {each.digest: each.body_bytes or 0 for each in manifests}
        sizes |= {factories.digest_of(name): size for name, size in layers.items()}
        stored = gone | {part for digest in gone for part in bodies[digest]}
        assert {blob.digest: blob.size_bytes for blob in uncollected.blobs()} == {
            digest: sizes[digest] for digest in stored - marked
        }


def _clear() -> None:
    for model in (RepositoryManifest, Descriptor, Manifest, Image):
        model.objects.all().delete()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite breaks no statement off.")
@pytest.mark.parametrize(
    ("work", "piece"),
    [
        (uncollected.total, "WITH gone AS"),
        (uncollected.by_account, "WITH gone AS"),
        (partial(uncollected.note_collected, until=timezone.now()), "UPDATE"),
        (partial(facts.collect_facts, timezone.now()), '"namespaces_descriptor"'),
    ],
)
def test_it_has_more_time_than_a_page(work: Callable[[], object], piece: str) -> None:
    seen = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            seen.append(cursor.fetchone()[0])

    with statements.before(piece, look):
        work()
    assert seen == ["5min"]
