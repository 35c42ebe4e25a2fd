"""Counts what images, namespaces and accounts hold in the registry, in one statement for all three.

A blob counts once in each place: an image, a namespace, an account. There it is of a tag if any tag reaches it; else
of the history alone if the registry holds a manifest that names it; else it waits for garbage collection. Blobs are
layers, configs and the manifests themselves. A blob has one size, whatever manifests claim.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection


@dataclass(slots=True)
class Figures:
    """Bytes, as namespaces.models.StoredBytes explains them."""

    stored: int = 0
    untagged: int = 0
    uncollected: int = 0


_OWNERS = ("image", "namespace", "account", "everybody")

# A tag reaches what it points at, what an index lists, and what is about either: signatures, SBOMs. What an index lists
# is marked by garbage collection whether the repository holds it or not, so that a row of its own says how much it is.
# The lower rank wins: 0 of a tag, 1 of the history alone, 2 gone. What a deleted namespace left is of no image.
# Nothing is joined by digest with what was counted before: PostgreSQL takes that for a few rows, whatever its
# statistics say, and compares each with each.
_FIGURES = """
WITH RECURSIVE revision AS (
    SELECT namespace.account_id, namespace.id AS namespace_id, image.id AS image_id, revision.manifest_id,
           CASE WHEN revision.gone_at IS NULL THEN 1 ELSE 2 END AS rank
    FROM namespaces_repositorymanifest revision
    JOIN namespaces_image image ON image.id = revision.image_id
    JOIN namespaces_namespace namespace ON namespace.id = image.namespace_id
    WHERE (revision.gone_at IS NULL OR revision.collected_at IS NULL OR revision.collected_at < revision.gone_at)
    {of_account}
), link AS (
    SELECT manifest_id AS reached, digest AS reaches FROM namespaces_descriptor WHERE kind = 'manifest'
    UNION ALL
    SELECT subject, digest FROM namespaces_manifest WHERE subject <> ''
), tagged AS (
    SELECT tag.image_id, tag.manifest_id FROM namespaces_tag tag
    JOIN namespaces_image image ON image.id = tag.image_id
    JOIN namespaces_namespace namespace ON namespace.id = image.namespace_id
    WHERE TRUE {of_account}
    UNION
    SELECT tagged.image_id, link.reaches FROM tagged JOIN link ON link.reached = tagged.manifest_id
), held AS (
    SELECT revision.account_id, revision.namespace_id, revision.image_id, revision.manifest_id,
           CASE WHEN revision.rank = 1 AND tagged.image_id IS NOT NULL THEN 0 ELSE revision.rank END AS rank
    FROM revision
    LEFT JOIN tagged ON tagged.image_id = revision.image_id AND tagged.manifest_id = revision.manifest_id
    UNION ALL
    SELECT account_id, NULL, NULL, manifest_id, CASE WHEN gone_at IS NULL THEN 1 ELSE 2 END
    FROM namespaces_formermanifest WHERE TRUE {of_former}
), part AS (
    SELECT held.account_id, held.namespace_id, held.image_id, named.digest, held.rank,
           CASE WHEN named.kind = 'manifest' THEN 0 ELSE named.size END AS size
    FROM held JOIN namespaces_descriptor named ON named.manifest_id = held.manifest_id
    WHERE held.rank < 2 OR named.kind <> 'manifest'
    UNION ALL
    SELECT held.account_id, held.namespace_id, held.image_id, held.manifest_id, held.rank,
           COALESCE(manifest.body_bytes, 0)
    FROM held JOIN namespaces_manifest manifest ON manifest.digest = held.manifest_id
), of_image AS (
    SELECT account_id, namespace_id, image_id, digest, MAX(size) AS size, MIN(rank) AS rank,
           MIN(MIN(rank)) OVER (PARTITION BY account_id, digest) AS account_rank
    FROM part GROUP BY account_id, namespace_id, image_id, digest
), of_namespace AS (
    SELECT account_id, namespace_id, digest, MAX(size) AS size, MIN(rank) AS rank, MIN(account_rank) AS account_rank
    FROM of_image GROUP BY account_id, namespace_id, digest
), of_account AS (
    SELECT account_id, digest, MAX(size) AS size, MIN(rank) AS rank FROM of_namespace GROUP BY account_id, digest
), of_everybody AS (
    SELECT digest, MAX(size) AS size, MIN(rank) AS rank FROM of_account GROUP BY digest
)
SELECT 'image', image_id, {sums}, {gone} FROM of_image GROUP BY image_id
UNION ALL
SELECT 'namespace', namespace_id, {sums}, {gone} FROM of_namespace GROUP BY namespace_id
UNION ALL
SELECT 'account', account_id, {sums}, SUM(CASE WHEN rank = 2 THEN size ELSE 0 END) FROM of_account GROUP BY account_id
UNION ALL
SELECT 'everybody', 0, {sums}, SUM(CASE WHEN rank = 2 THEN size ELSE 0 END) FROM of_everybody
"""
_SUMS = "SUM(CASE WHEN rank < 2 THEN size ELSE 0 END), SUM(CASE WHEN rank = 1 THEN size ELSE 0 END)"
_GONE = "SUM(CASE WHEN account_rank = 2 THEN size ELSE 0 END)"  # the account holds it nowhere


def count(account: int | None = None) -> dict[str, dict[int, Figures]]:
    """Return the figures by "image", "namespace" and "account", by key; and by "everybody", of key 0.

    What an account deleted and holds elsewhere does not wait; that others hold it is not told here. Of one `account`
    only that one's.
    """
    of_account, of_former, values = "", "", list[int]()
    if account is not None:
        of_account, of_former = "AND namespace.account_id = %s", "AND account_id = %s"
        values = [account] * 3
    found: dict[str, dict[int, Figures]] = {of: defaultdict(Figures) for of in _OWNERS}
    with connection.cursor() as cursor:
        cursor.execute(
            _FIGURES.format(of_account=of_account, of_former=of_former, sums=_SUMS, gone=_GONE), values
        )
        for of, owner, stored, untagged, uncollected in cursor.fetchall():
            if owner is None:
                continue
            figures = found[of][owner]
            figures.stored += int(stored or 0)
            figures.untagged += int(untagged or 0)
            figures.uncollected += int(uncollected or 0)
    return found
