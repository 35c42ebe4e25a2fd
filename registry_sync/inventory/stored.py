"""What is stored already, and need not be requested."""

from collections import defaultdict
from collections.abc import Iterable

from accounts.common.batches import batches
from namespaces.models import Descriptor, Manifest, RepositoryManifest
from registry_sync.inventory.fetcher import ManifestRef


def present(refs: Iterable[ManifestRef]) -> set[ManifestRef]:
    """Those that the registry holds, as it said of just this repository."""
    found: set[ManifestRef] = set()
    for batch in batches(sorted(set(refs))):
        rows = RepositoryManifest.objects.filter(
            gone_at=None,
            manifest__in={ref.digest for ref in batch},
            image__repository_row__name__in={ref.repository for ref in batch},
        )
        pairs = rows.values_list("image__repository_row__name", "manifest_id")
        found |= {ManifestRef(name, digest) for name, digest in pairs} & set(batch)
    return found


def complete_digests(digests: Iterable[str]) -> set[str]:
    """Those stored with all that they say, wherever that was read."""
    found: set[str] = set()
    for batch in batches(sorted(set(digests))):
        rows = Manifest.objects.filter(digest__in=batch, complete=True)
        found |= set(rows.values_list("digest", flat=True))
    return found


def fully_read(refs: Iterable[ManifestRef]) -> set[ManifestRef]:
    """Return those of `refs` about which nothing is to be asked: neither their content, nor what they list.

    An index that is whole in one repository may lack a platform in the next.
    """
    refs = set(refs)
    found = present(refs)
    stored = complete_digests({ref.digest for ref in refs - found})
    listed: dict[str, list[str]] = defaultdict(list)
    for batch in batches(sorted(stored)):
        parts = Descriptor.objects.filter(manifest__in=batch, kind=Descriptor.Kind.MANIFEST)
        for index, digest in parts.values_list("manifest_id", "digest"):
            listed[index].append(digest)
    below = {
        ref: {ManifestRef(ref.repository, digest) for digest in listed[ref.digest]}
        for ref in refs - found
        if ref.digest in stored
    }
    there = present(child for children in below.values() for child in children)
    return found | {ref for ref, children in below.items() if children <= there}
