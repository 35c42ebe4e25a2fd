"""What the inventory knows before a garbage collection: what stands in its way, and what it must leave alone."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.common.batches import batches
from accounts.common.long_statements import more_time
from namespaces.media_types import DOCKER_SCHEMA1
from namespaces.models import Descriptor, FormerManifest, Manifest, RepositoryManifest, Tag
from registry_sync import selectors
from registry_sync.models import Purge, Removal
from registry_sync.reclaim.gc_output import Eligible
from registry_sync.reclaim.refusals import ReclaimFacts

COUNTED_MAX = 1000  # of what stands in the way: nobody reads more


@more_time()
def collect_facts(now: datetime, *, version: int = 0, delete_untagged: bool = False) -> ReclaimFacts:
    """`version`: the registry's major one, 0 unknown."""
    freshness = selectors.freshness(now, exact=True)
    return ReclaimFacts(
        version=version,
        delete_untagged=delete_untagged,
        pull_through_cache=settings.REGISTRY_IS_PULL_THROUGH_CACHE,
        light=freshness.state,
        light_text=freshness.text,
        deletions=deletions_under_way(),
        sha512=tuple(islice(_named_by_sha512(), COUNTED_MAX)),
        schema_1=tuple(islice(_schema_1(), COUNTED_MAX)),
    )


def deletions_under_way() -> tuple[str, ...]:
    """Return in what something is to be deleted or restored: images, namespaces."""
    removals = Removal.objects.exclude(due_at=None).select_related("image__namespace").order_by("id")
    purges = Purge.objects.filter(state__in=Purge.OPEN).select_related("image__namespace", "namespace")
    named = [each.image.repository for each in removals[:COUNTED_MAX]]
    named += [str(each) for each in purges.order_by("id")[:COUNTED_MAX]]
    return tuple(dict.fromkeys(named))


def first_needed(eligible: Eligible, alive: Callable[[], None] = lambda: None) -> tuple[str, ...]:
    return tuple(islice(needed(eligible, alive), COUNTED_MAX))


def needed(eligible: Eligible, alive: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Yield what the inventory needs of it, as repository@digest. `alive` is called all the while."""
    for blobs in batches(sorted(eligible.blobs)):
        alive()
        for repository, manifest, digest in (*_held(blobs), *_named(blobs), *_former(blobs)):
            if (repository, manifest) not in eligible.manifests:
                yield f"{repository}@{digest}"
    for manifests in batches(sorted(digest for _repository, digest in eligible.manifests)):
        alive()
        for repository, manifest in _tagged(manifests):
            if (repository, manifest) in eligible.manifests:
                yield f"{repository}@{manifest}"


def _held(digests: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    rows = RepositoryManifest.objects.filter(gone_at=None, manifest__in=digests)
    for namespace, image, digest in rows.values_list("image__namespace__name", "image__name", "manifest_id"):
        yield f"{namespace}/{image}", digest, digest


def _named(digests: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    rows = RepositoryManifest.objects.filter(gone_at=None, manifest__descriptors__digest__in=digests)
    named = rows.values_list(
        "image__namespace__name", "image__name", "manifest_id", "manifest__descriptors__digest"
    )
    for namespace, image, manifest, digest in named:
        yield f"{namespace}/{image}", manifest, digest


def _former(digests: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Of namespaces that were deleted here, and whose repositories the registry has still."""
    rows = FormerManifest.objects.filter(gone_at=None)
    for repository, manifest in rows.filter(manifest__in=digests).values_list("repository", "manifest_id"):
        yield repository, manifest, manifest
    named = rows.filter(manifest__descriptors__digest__in=digests)
    yield from named.values_list("repository", "manifest_id", "manifest__descriptors__digest")


def _tagged(digests: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what tags lead to: manifests, what an index lists, however deep, and what is about any of these."""
    level = [(digest, digest) for digest in digests]
    while level:
        of = defaultdict[str, set[str]](set)
        for reached, digest in level:
            of[reached].add(digest)
        tags = Tag.objects.filter(manifest__in=of).values_list(
            "image__namespace__name", "image__name", "manifest_id"
        )
        for namespace, name, reached in tags:
            for digest in of[reached]:
                yield f"{namespace}/{name}", digest
        listed = Descriptor.objects.filter(digest__in=of, kind=Descriptor.Kind.MANIFEST)
        about = Manifest.objects.filter(digest__in=of).exclude(subject="")
        above = {*listed.values_list("manifest_id", "digest"), *about.values_list("subject", "digest")}
        level = [(upper, digest) for upper, reached in above for digest in of[reached]]


def _named_by_sha512() -> Iterator[str]:
    named = Descriptor.objects.exclude(digest__startswith="sha256:").exclude(kind=Descriptor.Kind.MANIFEST)
    other = Q(manifest__in=named.values("manifest")) | ~Q(manifest__digest__startswith="sha256:")
    yield from _as_names(RepositoryManifest.objects.filter(other, gone_at=None))


def _schema_1() -> Iterator[str]:
    schema_1 = RepositoryManifest.objects.filter(manifest__media_type__startswith=DOCKER_SCHEMA1)
    yield from _as_names(schema_1.filter(gone_at=None))


def _as_names(rows: QuerySet[RepositoryManifest]) -> Iterator[str]:
    named = rows.order_by("id").values_list("image__namespace__name", "image__name", "manifest_id")
    for namespace, image, digest in named[:COUNTED_MAX]:
        yield f"{namespace}/{image}@{digest}"
