"""What the inventory says before a garbage collection: what stands in its way, and what of the promise it needs."""

import pytest
from django.utils import timezone

from accounts.common.batches import BATCH
from manager.standalone.reclaiming import eligible_and_needed
from namespaces.models import Descriptor, FormerManifest, Image, Manifest, RepositoryManifest
from registry_sync.models import Purge, Removal, Repository, SyncRun
from registry_sync.reclaim import facts
from registry_sync.reclaim.gc_output import Eligible
from registry_sync.reclaim.refusals import refusals
from tests import factories

pytestmark = pytest.mark.django_db

LAYER, OTHER = factories.digest_of("layer"), factories.digest_of("other")


def manifest(*layers: str, kind: str = "layer", **values: str) -> Manifest:
    made: Manifest = factories.ManifestFactory(**values)
    Descriptor.objects.bulk_create(
        Descriptor(manifest=made, kind=kind, digest=each, size=1) for each in layers
    )
    return made


def hold(image: Image, made: Manifest) -> RepositoryManifest:
    row: RepositoryManifest = factories.RepositoryManifestFactory(image=image, manifest=made)
    return row


@pytest.fixture
def image() -> Image:
    made: Image = factories.ImageFactory(name="app", namespace__name="team")
    Repository.objects.create(name="team/app", image=made)
    return made


def test_a_green_light_and_nothing_else_is_safe() -> None:
    now = timezone.now()
    SyncRun.objects.create(state="done", started_at=now, finished_at=now)
    assert refusals(facts.collect_facts(now, version=3)) == []


def test_without_a_fresh_check_it_is_refused() -> None:
    (reason,) = refusals(facts.collect_facts(timezone.now(), version=3))
    assert "Press Sync now" in reason


def test_deletions_under_way_are_named_and_those_that_ended_are_not(image: Image) -> None:
    other = factories.ImageFactory(namespace=image.namespace, name="ended")
    for _twice in range(2):
        Removal.objects.create(image=image, kind="untag", requested_by="x")
    Removal.objects.create(image=other, kind="untag", requested_by="x", due_at=None, state="done")
    Purge.objects.create(namespace=image.namespace, requested_by="x")
    Purge.objects.create(namespace=image.namespace, requested_by="x", state="emptied")
    assert facts.collect_facts(timezone.now()).deletions == (
        image.repository,
        image.namespace.name,
    )


def test_forms_that_garbage_collection_loses_or_ends_at_are_named(image: Image) -> None:
    long, old = f"sha512:{'a' * 128}", "application/vnd.docker.distribution.manifest.v1+prettyjws"
    layered, itself, schema_1 = manifest(long), manifest(digest=long), manifest(media_type=old)
    gone = manifest(long, media_type=old)
    listing = manifest(long, kind="manifest")
    for each in (layered, itself, schema_1, gone, listing, manifest(LAYER)):
        hold(image, each)
    RepositoryManifest.objects.filter(manifest=gone).update(gone_at=timezone.now())
    found = facts.collect_facts(timezone.now())
    assert found.sha512 == (f"team/app@{layered.digest}", f"team/app@{itself.digest}")
    assert found.schema_1 == (f"team/app@{schema_1.digest}",)


def test_what_held_manifests_are_or_name_is_needed(image: Image) -> None:
    held, gone = manifest(LAYER), manifest(OTHER)
    hold(image, held)
    hold(image, gone)
    RepositoryManifest.objects.filter(manifest=gone).update(gone_at=timezone.now())
    assert facts.first_needed(Eligible({gone.digest, OTHER, factories.digest_of("unknown")})) == ()
    assert set(facts.first_needed(Eligible({held.digest, LAYER}))) == {
        f"team/app@{held.digest}",
        f"team/app@{LAYER}",
    }


@pytest.mark.parametrize(
    ("looks", "refused"),
    [
        (["doomed"], False),
        (["held doomed", "pushed doomed"], False),
        (["held doomed", "held doomed"], True),
        (["held pushed doomed", "held doomed"], True),
    ],
    ids=["nothing", "another at each look", "one at both", "one at both, and another"],
)
def test_what_is_pushed_while_the_registry_looks_stands_in_no_way(
    image: Image, looks: list[str], refused: bool
) -> None:
    known = {name: factories.ManifestFactory() for name in ("held", "pushed", "doomed")}
    for name in ("held", "pushed"):
        hold(image, known[name])
    answers = iter([Eligible({known[name].digest for name in look.split()}) for look in looks])
    eligible, needed = eligible_and_needed(lambda: next(answers), lambda: None)
    assert known["doomed"].digest in eligible.blobs
    assert needed == ((f"team/app@{known['held'].digest}",) if refused else ())


def test_what_deleted_namespaces_left_in_the_registry_is_needed_too() -> None:
    made = manifest(LAYER)
    FormerManifest.objects.create(account_id=1, repository="old/app", manifest=made)
    assert set(facts.first_needed(Eligible({made.digest, LAYER}))) == {
        f"old/app@{made.digest}",
        f"old/app@{LAYER}",
    }
    FormerManifest.objects.update(gone_at=timezone.now())
    assert facts.first_needed(Eligible({made.digest, LAYER})) == ()


def test_untagged_manifests_take_along_what_they_alone_name(image: Image) -> None:
    untagged = manifest(LAYER)
    hold(image, untagged)
    eligible = Eligible({untagged.digest, LAYER}, {("team/app", untagged.digest)})
    assert facts.first_needed(eligible) == ()
    hold(factories.ImageFactory(name="other", namespace__name="team2"), untagged)
    assert set(facts.first_needed(eligible)) == {f"team2/other@{untagged.digest}", f"team2/other@{LAYER}"}


def test_a_tagged_manifest_and_its_platforms_are_needed_whatever_the_registry_calls_untagged(
    image: Image,
) -> None:
    platform = manifest(LAYER)
    index = manifest(platform.digest, kind="manifest")
    for each in (platform, index):
        hold(image, each)
    factories.TagFactory(image=image, manifest=index)
    for each in (platform, index):
        eligible = Eligible(manifests={("team/app", each.digest)})
        assert facts.first_needed(eligible) == (f"team/app@{each.digest}",)
        assert facts.first_needed(Eligible(manifests={("team/else", each.digest)})) == ()


def test_what_is_about_a_tagged_manifest_or_is_listed_deeper_is_needed_too(image: Image) -> None:
    platform = manifest(LAYER)
    inner = manifest(platform.digest, kind="manifest")
    outer = manifest(inner.digest, kind="manifest")
    signature = manifest(OTHER, subject=platform.digest)
    unrelated = manifest(subject=factories.digest_of("nothing"))
    for each in (platform, inner, outer, signature, unrelated):
        hold(image, each)
    eligible = Eligible(
        manifests={("team/app", each.digest) for each in (platform, inner, signature, unrelated)}
    )
    assert facts.first_needed(eligible) == ()
    factories.TagFactory(image=image, manifest=outer)
    assert set(facts.first_needed(eligible)) == {
        f"team/app@{each.digest}" for each in (platform, inner, signature)
    }


def test_the_command_is_seen_to_live_while_much_is_compared() -> None:
    alive = list[None]()
    eligible = Eligible(
        {factories.digest_of(str(n)) for n in range(BATCH + 1)}, {("team/app", factories.digest_of("m"))}
    )
    assert facts.first_needed(eligible, lambda: alive.append(None)) == ()
    assert len(alive) == 3
