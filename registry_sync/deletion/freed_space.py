"""What garbage collection frees after a deletion, and what of it stays because something else needs it.

As in the figures of usage, an account is told of what it gives up. What others hold is not looked at: it would tell
them from those who hold nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Exists, Max, Q, QuerySet, Value

from accounts.common.batches import batches
from accounts.common.prepared_queries import prepared
from accounts.models import Account
from namespaces.models import Descriptor, FormerManifest, Image, Manifest, Namespace, RepositoryManifest
from registry_sync import doctor
from registry_sync.deletion.impact import DeletionGraph, PlannedDeletion, blobs_of
from registry_sync.models import Repository

_UNSEEN = ""  # among digests: something may share blobs that is not looked at
_COMPARED_AT_ONCE = 5000  # digests; a plan that reads the whole account then does so a few times at most


@dataclass(frozen=True, slots=True)
class FreedSpace:
    """Bytes of layers, configs and manifests. Not `freed_exactly`: `freed_bytes` are the most that can be freed."""

    freed_bytes: int = 0
    staying_bytes: int = 0
    freed_exactly: bool = True


def of_deletions(image: Image, graph: DeletionGraph, deletions: Iterable[PlannedDeletion]) -> FreedSpace:
    """Return what deleting these manifests of the image frees."""
    planned = list(deletions)
    deleted = [each.digest for each in planned]
    blobs = blobs_of(graph, planned)
    needed: set[str] = set()
    for some in batches(sorted(blobs)):
        rows = _needed(
            account=image.namespace.account_id, image=image.pk, deleted=deleted, digests=list(some)
        )
        needed |= {digest for (digest,) in rows}
    staying = sum(size for digest, size in blobs.items() if digest in needed)
    return FreedSpace(sum(blobs.values()) - staying, staying, _UNSEEN not in needed)


@prepared
def _needed(*, account: int, image: int, deleted: list[str], digests: list[str]) -> QuerySet[Any, Any]:
    """As `_needed_by`; all but those deleted of the image stay."""
    staying = _held(account).exclude(image=image, manifest__digest__in=deleted)
    return _needed_by(staying, account, digests)


def of_images(account: Account, images: Collection[int], *, at_once: int = _COMPARED_AT_ONCE) -> FreedSpace:
    """Return what deleting all that is in these images of the account frees.

    `images`: their keys. `at_once`: as many digests are compared by one statement.
    """
    deleted = RepositoryManifest.objects.filter(image__in=images, gone_at=None)
    blobs = Descriptor.objects.filter(manifest__in=deleted.values("manifest")).exclude(
        kind=Descriptor.Kind.MANIFEST
    )
    manifests = Manifest.objects.filter(digest__in=deleted.values("manifest"))
    sizes = [
        *blobs.order_by().values_list("digest").annotate(blob_bytes=Max("size")),
        *manifests.order_by().values_list("digest", "body_bytes"),
    ]
    staying = _held(account.pk).exclude(image__in=images)
    needed: set[str] = set()
    digests = sorted({digest for digest, _size in sizes})
    for some in batches(digests or [_UNSEEN], at_once):
        needed.update(digest for (digest,) in _needed_by(staying, account.pk, some))
    total = sum(size or 0 for _digest, size in sizes)
    kept = sum(size or 0 for digest, size in sizes if digest in needed)
    return FreedSpace(total - kept, kept, _UNSEEN not in needed)


def _held(account: int) -> QuerySet[RepositoryManifest]:
    return RepositoryManifest.objects.filter(gone_at=None, image__namespace__account=account)


def _needed_by(
    staying: QuerySet[RepositoryManifest], account: int, digests: Sequence[str]
) -> QuerySet[Any, Any]:
    """Return those of `digests` that a manifest is or names which stays, or which a deleted namespace left.

    In tuples of one; with _UNSEEN.
    """
    former = FormerManifest.objects.filter(gone_at=None, account_id=account)
    itself = Q(manifest__digest__in=digests)
    named = Q(manifest__descriptors__digest__in=digests)
    return (
        staying.filter(named)
        .values_list("manifest__descriptors__digest")
        .union(
            staying.filter(itself).values_list("manifest_id"),
            former.filter(named).values_list("manifest__descriptors__digest"),
            former.filter(itself).values_list("manifest_id"),
            _shared_unseen(account).values_list(Value(_UNSEEN, output_field=CharField())),
        )
    )


def _shared_unseen(account: int) -> QuerySet[Account]:
    """Return the account where others, what no account owns, or what nobody could read may share its blobs."""
    others = Namespace.objects.exclude(account=account)
    unassigned = Repository.objects.filter(image=None).exclude(name=doctor.REPOSITORY)
    unreadable = RepositoryManifest.objects.filter(manifest__kind="unknown", gone_at=None)
    unseen = Exists(others) | Exists(unassigned) | Exists(unreadable)
    return Account.objects.filter(unseen, pk=account).order_by()
