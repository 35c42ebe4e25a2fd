"""Writes what was read into the picture: one transaction for each repository, and nothing where nothing changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from namespaces.models import Image, Manifest, Namespace, ReservedName, Tag
from namespaces.names import NAMESPACE_MAX, is_repository, split
from registry_sync.models import Repository
from registry_sync.sync.collect import ManifestValues, TagsRead, as_fields
from registry_sync.sync.planner import Plan, Row, plan

BATCH = 500


def known_repositories() -> dict[str, Row]:
    return {
        name: Row(missing=missing is not None)
        for name, missing in Repository.objects.values_list("name", "missing_since").iterator()
    }


@transaction.atomic
def write_catalog(changes: Plan, now: datetime) -> None:
    """`changes` from a complete catalog. A repository that is gone takes its image and tags with it."""
    Repository.objects.bulk_create(
        [Repository(name=name) for name in changes.add], BATCH, ignore_conflicts=True
    )
    _mark(changes.mark, now)
    _mark(changes.unmark, None)
    for names in _batches(changes.remove):
        gone = Repository.objects.filter(name__in=names)
        Image.objects.filter(repository_row__in=gone).delete()
        gone.delete()


def claim_repositories() -> int:
    """Ties each repository to an image of the namespace it is in. Returns how many were tied.

    One in no namespace stays unclaimed, and its first part is reserved, so that nobody gets it by creating it.
    """
    owners = {namespace.name: namespace for namespace in Namespace.objects.all()}
    tied, unowned = 0, set()
    for row in Repository.objects.filter(image=None).order_by("id"):
        first, rest = split(row.name)
        owner = owners.get(first)
        if owner and is_repository(row.name):
            with transaction.atomic():
                row.image, _new = Image.objects.get_or_create(namespace=owner, name=rest)
                row.save(update_fields=["image"])
            tied += 1
        elif len(first) <= NAMESPACE_MAX:
            unowned.add(first)
    missing = unowned - set(ReservedName.objects.filter(name__in=unowned).values_list("name", flat=True))
    ReservedName.objects.bulk_create([ReservedName(name=name) for name in missing], ignore_conflicts=True)
    return tied


def claimed() -> list[str]:
    """The repositories whose tags are to be read, those with trouble last time first."""
    rows = Repository.objects.filter(missing_since=None).exclude(image=None)
    return list(rows.order_by("problem", "name").reverse().values_list("name", flat=True))


def known_tags(repositories: Iterable[str]) -> dict[str, dict[str, Row]]:
    """repository → tag → row, in one statement for all of them."""
    found: dict[str, dict[str, Row]] = {name: {} for name in repositories}
    rows = Tag.objects.filter(image__repository_row__name__in=list(found)).values_list(
        "image__repository_row__name", "name", "manifest_id", "missing_since"
    )
    for repository, tag, digest, missing in rows.iterator():
        found[repository][tag] = Row(digest, missing is not None)
    return found


def stored_sizes(digests: Iterable[str]) -> dict[str, int]:
    """Of these digests those already stored, with their sizes."""
    found: dict[str, int] = {}
    for batch in _batches(list(digests)):
        found.update(Manifest.objects.filter(digest__in=batch).values_list("digest", "size"))
    return found


def store_manifests(rows: Iterable[ManifestValues]) -> None:
    """Manifests never change, so one that is there already is right already."""
    Manifest.objects.bulk_create([Manifest(**as_fields(row)) for row in rows], BATCH, ignore_conflicts=True)


def write_tags(read: TagsRead, have: Mapping[str, Row], now: datetime) -> int:
    """The changes made. Called inside the transaction that holds the lease."""
    row = Repository.objects.select_related("image").get(name=read.repository)
    _note_problem(row, read)
    if read.problem or row.image is None:
        return 0
    changes = plan(have, read.digests, unreadable=read.unreadable)
    if not changes:
        return 0
    image, tags = row.image, Tag.objects.filter(image=row.image)
    Tag.objects.bulk_create(
        [Tag(image=image, name=name, manifest_id=read.digests[name], pushed_at=now) for name in changes.add],
        BATCH,
    )
    for digest, names in _by_digest(changes.move, read.digests).items():
        tags.filter(name__in=names).update(manifest_id=digest, pushed_at=now, missing_since=None)
    for names in _batches(changes.mark):
        tags.filter(name__in=names).update(missing_since=now)
    for names in _batches(changes.unmark):
        tags.filter(name__in=names).update(missing_since=None)
    for names in _batches(changes.remove):
        tags.filter(name__in=names).delete()
    _count(image)
    return len(changes)


def _note_problem(row: Repository, read: TagsRead) -> None:
    unread = f"{len(read.unreadable)} tags could not be read" if read.unreadable else ""
    problem = (read.problem or unread)[:200]
    if row.problem != problem:
        row.problem = problem
        row.save(update_fields=["problem"])


def _count(image: Image) -> None:
    """The counters that lists show without counting."""
    newest = Tag.objects.filter(image=image).select_related("manifest").order_by("-pushed_at", "-id").first()
    image.tag_count = Tag.objects.filter(image=image).count()
    image.latest_tag = newest.name if newest else ""
    image.size = newest.manifest.size if newest else 0
    image.pushed_at = newest.pushed_at if newest else image.pushed_at
    image.save(update_fields=["tag_count", "latest_tag", "size", "pushed_at"])


def _mark(names: list[str], moment: datetime | None) -> None:
    for batch in _batches(names):
        Repository.objects.filter(name__in=batch).update(missing_since=moment)


def _by_digest(names: Iterable[str], digests: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for name in names:
        grouped[digests[name]].append(name)
    return grouped


def _batches(names: list[str]) -> Iterable[list[str]]:
    return (names[start : start + BATCH] for start in range(0, len(names), BATCH))
