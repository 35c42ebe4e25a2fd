"""Keeps what is known of an image's repository in the registry when the image's rows are deleted.

Garbage collection has not run: what was deleted there still takes room, and what was not still needs its layers.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q, QuerySet

from accounts.common.batches import BATCH, batches
from namespaces.models import FormerManifest, Image, RepositoryManifest

_STILL_STORED = Q(gone_at=None) | Q(collected_at=None) | Q(collected_at__lt=F("gone_at"))


def keep(images: QuerySet[Image], *, gone_at: datetime | None = None) -> None:
    """Copy the manifests of `images`, in the caller's transaction.

    `gone_at`: when what is still held went, if it did.
    """
    rows = RepositoryManifest.objects.filter(_STILL_STORED, image__in=images.values("pk"))
    values = rows.order_by("manifest").values_list(
        "image__namespace__account_id", "image__namespace__name", "image__name", "manifest_id", "gone_at"
    )
    for some in batches(list(values)):
        FormerManifest.objects.bulk_create(
            [
                FormerManifest(
                    account_id=account,
                    repository=f"{namespace}/{image}",
                    manifest_id=manifest,
                    gone_at=went_at or gone_at,
                )
                for account, namespace, image, manifest, went_at in some
            ],
            BATCH,
            update_conflicts=True,
            unique_fields=["repository", "manifest"],
            update_fields=["account_id", "gone_at"],
        )


def note_gone(repositories: Iterable[str], now: datetime) -> None:
    """Note that the registry lists these no more, and holds nothing in them."""
    for some in batches(list(repositories)):
        FormerManifest.objects.filter(repository__in=some, gone_at=None).update(gone_at=now)
