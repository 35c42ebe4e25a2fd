"""Blobs that the registry still stores and no manifest needs: its garbage collection frees them.

They are known from manifests that went. What was pushed without a manifest, or never read, is not known here: a
collection may free more. It keeps what the registry holds and nobody could read: it may free less.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from accounts.common.long_statements import more_time
from namespaces.models import FormerManifest, RepositoryManifest
from registry_sync.models import Marker

_COMPARED_AT_ONCE = 5000  # digests
_EVER = datetime(9999, 12, 30, tzinfo=UTC)

# What went, and what it named. A blob has one size, whatever manifests claim.
_WENT = """
    WITH gone AS (
        SELECT revision.manifest_id, namespace.account_id,
               namespace.name || '/' || image.name AS repository
        FROM namespaces_repositorymanifest revision
        JOIN namespaces_image image ON image.id = revision.image_id
        JOIN namespaces_namespace namespace ON namespace.id = image.namespace_id
        WHERE revision.gone_at <= %(until)s
        AND (revision.collected_at IS NULL OR revision.collected_at < revision.gone_at)
        UNION
        SELECT manifest_id, account_id, repository FROM namespaces_formermanifest WHERE gone_at <= %(until)s
    ), part AS (
        SELECT gone.account_id, gone.repository, named.digest, named.size
        FROM gone JOIN namespaces_descriptor named ON named.manifest_id = gone.manifest_id
        WHERE named.kind <> 'manifest'
        UNION ALL
        SELECT gone.account_id, gone.repository, manifest.digest, COALESCE(manifest.body_bytes, 0)
        FROM gone JOIN namespaces_manifest manifest ON manifest.digest = gone.manifest_id
    )
    SELECT digest, MAX(size), {owner} FROM part GROUP BY {by}
"""
_BLOBS = _WENT.format(owner="MIN(repository)", by="digest")
_OF_ACCOUNTS = _WENT.format(owner="account_id", by="account_id, digest")


@dataclass(frozen=True, slots=True)
class UncollectedBlob:
    """`repository`: one of those that held it, where the registry can be asked for it."""

    digest: str
    size_bytes: int
    repository: str


@dataclass(frozen=True, slots=True)
class UncollectedTotal:
    blobs: int
    size_bytes: int


def blobs(*, until: datetime | None = None) -> list[UncollectedBlob]:
    """Return each blob that waits in the registry once: layers, configs and manifests.

    `until`: only what a collection at that moment would have freed, of what is not needed again.
    """
    return [UncollectedBlob(*row) for row in _unneeded(_BLOBS, until)]


def total() -> UncollectedTotal:
    sizes = [blob.size_bytes for blob in blobs()]
    return UncollectedTotal(len(sizes), sum(sizes))


def by_account() -> dict[int, int]:
    """Return account → bytes. What several accounts deleted counts in each."""
    found = defaultdict[int, int](int)
    for _digest, size_bytes, account in _unneeded(_OF_ACCOUNTS, None):
        found[account] += size_bytes
    return found


def _unneeded(went: str, until: datetime | None) -> Iterator[tuple[Any, ...]]:
    """Give the rows of `went`, which begin with a digest, without those that the registry needs.

    Digests are compared in parts: PostgreSQL, wrong about how many rows there are, looks all up again for each.
    """
    last = connection.ops.adapt_datetimefield_value(until or _EVER)
    with more_time(), connection.cursor() as cursor:
        cursor.execute(went, {"until": last})
        while rows := cursor.fetchmany(_COMPARED_AT_ONCE):
            needed = _needed({row[0] for row in rows}, until)
            yield from (row for row in rows if row[0] not in needed)


def _needed(digests: Collection[str], until: datetime | None) -> set[str]:
    """Return those that the registry marks: each manifest in a repository, and all that this names.

    Of an index these are the manifests listed, whether the repository holds them or not.
    """
    held = Q(gone_at=None) | (Q(gone_at__gt=until) if until else Q())
    revisions, former = RepositoryManifest.objects.filter(held), FormerManifest.objects.filter(held)
    itself, named = Q(manifest__in=digests), Q(manifest__descriptors__digest__in=digests)
    found = revisions.filter(itself).values_list("manifest_id")
    return {
        digest
        for (digest,) in found.union(
            revisions.filter(named).values_list("manifest__descriptors__digest"),
            former.filter(itself).values_list("manifest_id"),
            former.filter(named).values_list("manifest__descriptors__digest"),
        )
    }


@more_time()
def note_collected(*, until: datetime) -> None:
    """Note that garbage collection freed what had gone by `until`, when the registry took no more writes."""
    RepositoryManifest.objects.filter(gone_at__lte=until).update(collected_at=until)
    FormerManifest.objects.filter(gone_at__lte=until).delete()
    Marker.objects.filter(name=Marker.USAGE).delete()  # so that all is counted again at once


def forget_returned() -> None:
    """Forget what a deleted namespace left in the registry where an image has it again, held or gone."""
    returned = RepositoryManifest.objects.filter(
        manifest=OuterRef("manifest"), image__repository_row__name=OuterRef("repository")
    )
    FormerManifest.objects.filter(Exists(returned)).delete()
