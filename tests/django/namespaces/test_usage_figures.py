"""In tags, in the history alone, waiting for garbage collection: each blob once in each place."""

import random
import re
from collections.abc import Callable, Iterable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from namespaces import usage_figures
from namespaces.models import Descriptor, FormerManifest, Image, Manifest, RepositoryManifest, Tag
from namespaces.usage_figures import Figures
from tests import factories

pytestmark = pytest.mark.django_db


def manifest(
    name: str, body_bytes: int = 0, *, lists: Iterable[Manifest] = (), about: str = "", **layers: int
) -> Manifest:
    made: Manifest = factories.ManifestFactory(
        digest=factories.digest_of(name), body_bytes=body_bytes, subject=about
    )
    parts = [("layer", factories.digest_of(layer), size) for layer, size in layers.items()]
    parts += [("manifest", child.digest, 999) for child in lists]
    Descriptor.objects.bulk_create(
        Descriptor(manifest=made, kind=kind, digest=digest, size=size) for kind, digest, size in parts
    )
    return made


def hold(image: Image, *manifests: Manifest) -> None:
    for each in manifests:
        RepositoryManifest.objects.create(image=image, manifest=each)


def lose(image: Image, *manifests: Manifest) -> None:
    RepositoryManifest.objects.filter(image=image, manifest__in=manifests).update(gone_at=timezone.now())


def tag(image: Image, each: Manifest) -> None:
    factories.TagFactory(image=image, manifest=each)


def of(image: Image) -> tuple[Figures, Figures, Figures]:
    """Of the image, its namespace and its account."""
    found = usage_figures.count()
    return (
        found["image"][image.pk],
        found["namespace"][image.namespace_id],
        found["account"][image.namespace.account_id],
    )


@pytest.fixture
def image() -> Image:
    made: Image = factories.ImageFactory()
    return made


@pytest.fixture
def beside(image: Image) -> Image:
    """An image in another namespace of the account."""
    made: Image = factories.ImageFactory(namespace__account=image.namespace.account)
    return made


def test_a_tag_a_history_and_what_went(image: Image) -> None:
    new, old, gone = (
        manifest("new", 5, base=100),
        manifest("old", 6, base=100, o=10),
        manifest("gone", 7, g=1),
    )
    hold(image, new, old, gone)
    tag(image, new)
    lose(image, gone)
    assert set(map(str, of(image))) == {str(Figures(stored=121, untagged=16, uncollected=8))}


def test_a_tag_reaches_platforms_and_what_is_about_them(image: Image) -> None:
    platform = manifest("platform", 1, layer=100)
    index = manifest("index", 2, lists=[platform])
    signature = manifest("signature", 3, about=platform.digest, payload=40)
    hold(image, platform, index, signature)
    tag(image, index)
    assert of(image)[0] == Figures(stored=146)
    Tag.objects.all().delete()
    assert of(image)[0] == Figures(stored=146, untagged=146)


def test_a_layer_of_a_tag_elsewhere_is_of_the_history_alone_here(image: Image, beside: Image) -> None:
    shared = manifest("shared", 0, base=100)
    hold(image, shared)
    hold(beside, shared)
    tag(beside, shared)
    here, _namespace, account = of(image)
    assert (here, account) == (Figures(stored=100, untagged=100), Figures(stored=100))


def test_what_the_account_holds_elsewhere_does_not_wait(image: Image, beside: Image) -> None:
    shared = manifest("shared", 0, base=100)
    hold(image, shared)
    hold(beside, shared)
    lose(image, shared)
    assert of(image) == (Figures(), Figures(), Figures(stored=100, untagged=100))
    lose(beside, shared)
    assert of(image) == tuple([Figures(uncollected=100)] * 3)


def test_what_another_account_holds_is_not_told_and_does_not_wait_of_all_together(image: Image) -> None:
    shared, stranger = manifest("shared", 0, base=100), factories.ImageFactory()
    hold(image, shared)
    lose(image, shared)
    before = of(image)
    hold(stranger, shared)
    assert of(image) == before == tuple([Figures(uncollected=100)] * 3)
    assert usage_figures.count()["everybody"][0] == Figures(stored=100, untagged=100)
    lose(stranger, shared)
    assert usage_figures.count()["everybody"][0] == Figures(uncollected=100)


def test_a_listed_manifest_that_went_stays_on_the_disk_with_its_index(image: Image) -> None:
    platform = manifest("platform", 1, layer=100)
    index = manifest("index", 2, lists=[platform])
    hold(image, platform, index)
    tag(image, index)
    lose(image, platform)
    assert of(image)[0] == Figures(stored=3, uncollected=100)


def test_what_was_collected_is_nowhere(image: Image) -> None:
    gone = manifest("gone", 1, layer=100)
    hold(image, gone)
    lose(image, gone)
    RepositoryManifest.objects.update(collected_at=timezone.now())
    assert of(image) == (Figures(), Figures(), Figures())


def test_what_a_deleted_namespace_left_waits_in_the_account(image: Image) -> None:
    account, gone, kept = (
        image.namespace.account_id,
        manifest("gone", 1, a=10, b=20),
        manifest("kept", 2, b=20),
    )
    hold(image, manifest("here", 4, c=40))
    FormerManifest.objects.create(
        account_id=account, repository="old/app", manifest=gone, gone_at=timezone.now()
    )
    FormerManifest.objects.create(account_id=account, repository="old/app", manifest=kept)
    assert of(image)[2] == Figures(stored=66, untagged=66, uncollected=11)
    assert usage_figures.count(account)["account"] == {account: of(image)[2]}


def test_one_account_by_itself_is_as_among_all(image: Image, beside: Image) -> None:
    for number, each in enumerate([image, beside, factories.ImageFactory()]):
        made = manifest(f"of {number}", 1, base=100, **{f"layer{number}": 10})
        hold(each, made, manifest(f"gone of {number}", 1, gone=7))
        tag(each, made)
        lose(each, Manifest.objects.get(digest=factories.digest_of(f"gone of {number}")))
    everything, account = usage_figures.count(), image.namespace.account_id
    alone = usage_figures.count(account)
    assert alone["account"] == {account: everything["account"][account]}
    assert alone["image"] == {each.pk: everything["image"][each.pk] for each in (image, beside)}


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite joins by an index that it makes itself."
)
def test_what_went_is_not_compared_each_with_each(image: Image) -> None:
    """PostgreSQL says how many pairs of rows it compared for nothing."""
    compared = []
    for part in range(2):
        made = [manifest(f"{part}-{n}", 1, base=100, **{f"{part}-{n}-own": 10}) for n in range(100)]
        hold(image, *made)
        lose(image, *made)
        with CaptureQueriesContext(connection) as asked:
            assert usage_figures.count()["image"][image.pk].uncollected == 100 + (part + 1) * 1100
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {asked[0]['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        compared.append(sum(map(int, re.findall(r"Rows Removed by Join Filter: ([0-9]+)", plan))))
    assert max(compared) < 1000


def test_many_worlds_agree_with_a_plain_count() -> None:
    dice = random.Random(2)
    layers = {f"layer{number}": 10**number for number in range(5)}
    for _world in range(25):
        for model in (Tag, RepositoryManifest, Descriptor, Manifest, Image):
            model.objects.all().delete()
        images = [factories.ImageFactory() for _ in range(2)]
        images.append(factories.ImageFactory(namespace=images[0].namespace))
        images.append(factories.ImageFactory(namespace__account=images[0].namespace.account))
        made: list[Manifest] = []
        for number in range(7):
            some = dict(dice.sample(sorted(layers.items()), dice.randint(0, 2)))
            lists = dice.sample(made, min(len(made), dice.choice([0, 0, 1, 2])))
            about = dice.choice(made).digest if made and dice.random() < 0.3 else ""
            made.append(manifest(f"m{number}", 10**6 * 2**number, lists=lists, about=about, **some))
        for image in images:
            for each in dice.sample(made, dice.randint(0, 7)):
                hold(image, each)
                if dice.random() < 0.4:
                    lose(image, each)
                elif dice.random() < 0.5:
                    tag(image, each)
        found = usage_figures.count()
        for of, figures in _plain(images).items():
            assert {key: each for key, each in found[of].items() if each != Figures()} == figures


def _plain(images: list[Image]) -> dict[str, dict[int, Figures]]:
    """Count the same with sets, without what is nothing."""
    blobs = {place: dict[int, dict[str, tuple[int, int]]]() for place in PLACES}
    for image in images:
        for digest, size, rank in _blobs_of(image):
            for place, key in PLACES.items():
                here = blobs[place].setdefault(key(image), {})
                known_rank, known_size = here.get(digest, (2, 0))
                here[digest] = min(rank, known_rank), max(size, known_size)
    found: dict[str, dict[int, Figures]] = {place: {} for place in PLACES}
    for image in images:
        of_account = blobs["account"].get(PLACES["account"](image), {})
        for place, key in PLACES.items():
            here = blobs[place].get(key(image), {})
            ranks = here if place == "everybody" else of_account
            figures = Figures(
                stored=sum(size for rank, size in here.values() if rank < 2),
                untagged=sum(size for rank, size in here.values() if rank == 1),
                uncollected=sum(
                    size for digest, (rank, size) in here.items() if rank == ranks[digest][0] == 2
                ),
            )
            if figures != Figures():
                found[place][key(image)] = figures
    return found


def _blobs_of(image: Image) -> Iterator[tuple[str, int, int]]:
    """Give (digest, bytes, rank) of all that the image's manifests are and name."""
    tagged, left = set[str](), set(Tag.objects.filter(image=image).values_list("manifest_id", flat=True))
    while left:
        tagged |= left
        listed = Descriptor.objects.filter(manifest__in=left, kind="manifest").values_list(
            "digest", flat=True
        )
        about = Manifest.objects.filter(subject__in=left).values_list("digest", flat=True)
        left = {*listed, *about} - tagged
    for row in RepositoryManifest.objects.filter(image=image).select_related("manifest"):
        rank = 2 if row.gone_at else 0 if row.manifest_id in tagged else 1
        yield row.manifest_id, row.manifest.body_bytes or 0, rank
        for part in row.manifest.descriptors.all():
            if part.kind != "manifest":
                yield part.digest, part.size, rank
            elif rank < 2:
                yield part.digest, 0, rank


PLACES: dict[str, Callable[[Image], int]] = {
    "image": lambda image: image.pk,
    "namespace": lambda image: image.namespace_id,
    "account": lambda image: image.namespace.account_id,
    "everybody": lambda _image: 0,
}
