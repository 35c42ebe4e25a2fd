"""What is known already, and need not be asked for."""

from collections import defaultdict
from collections.abc import Iterable

from namespaces.models import Descriptor, Manifest, RepositoryManifest
from registry_sync.inventory.fetcher import Place
from registry_sync.inventory.index_totals import batches


def held(places: Iterable[Place]) -> set[Place]:
    """Those that the registry holds, as it said of just this repository."""
    found: set[Place] = set()
    for some in batches(sorted(set(places))):
        rows = RepositoryManifest.objects.filter(
            gone_at=None,
            manifest__in={place.digest for place in some},
            image__repository_row__name__in={place.repository for place in some},
        )
        pairs = rows.values_list("image__repository_row__name", "manifest_id")
        found |= {Place(name, digest) for name, digest in pairs} & set(some)
    return found


def whole(digests: Iterable[str]) -> set[str]:
    """Those stored with all that they say, wherever that was read."""
    found: set[str] = set()
    for some in batches(sorted(set(digests))):
        rows = Manifest.objects.filter(digest__in=some, complete=True)
        found |= set(rows.values_list("digest", flat=True))
    return found


def settled(places: Iterable[Place]) -> set[Place]:
    """Return those of places that are there of which nothing is to be asked.

    Neither content, nor whether what they list is there as well. An index that is whole in one repository may lack a
    platform in the next.
    """
    places = set(places)
    found = held(places)
    stored = whole({place.digest for place in places - found})
    listed: dict[str, list[str]] = defaultdict(list)
    for some in batches(sorted(stored)):
        parts = Descriptor.objects.filter(manifest__in=some, kind=Descriptor.Kind.MANIFEST)
        for index, digest in parts.values_list("manifest_id", "digest"):
            listed[index].append(digest)
    below = {
        place: {Place(place.repository, digest) for digest in listed[place.digest]}
        for place in places - found
        if place.digest in stored
    }
    there = held(child for children in below.values() for child in children)
    return found | {place for place, children in below.items() if children <= there}
