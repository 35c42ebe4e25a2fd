"""Writes what was read into the picture: one transaction for each repository, and nothing where nothing changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F

from namespaces.models import Image, Namespace, ReservedName, Tag, TagMove
from namespaces.names import NAMESPACE_MAX, is_repository, split
from registry_sync.client import TagsRead
from registry_sync.models import Repository
from registry_sync.picture.write import BATCH, Move, batches, write_moves
from registry_sync.sync.planner import Plan, Row, plan


@dataclass(slots=True)
class Known:
    """What we have of a repository: the version it was read at, its trouble last time, and tag → row."""

    version: int
    problem: str = ""
    tags: dict[str, Row] = field(default_factory=dict)


class Raced(Exception):
    """The repository was written by another since it was read: what was read says nothing any more."""


def known_repositories() -> dict[str, Row]:
    return {
        name: Row(missing=missing is not None)
        for name, missing in Repository.objects.values_list("name", "missing_since").iterator()
    }


def versions(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in batches(list(names)):
        found.update(Repository.objects.filter(name__in=some).values_list("name", "version"))
    return found


@transaction.atomic
def write_catalog(changes: Plan, now: datetime, versions: Mapping[str, int]) -> None:
    """`changes` from a complete catalog. A repository that is gone takes its image and tags with it, unless it
    was written since `versions` were read: then it was pushed again while we asked for others."""
    Repository.objects.bulk_create(
        [Repository(name=name) for name in changes.add], BATCH, ignore_conflicts=True
    )
    _mark(changes.mark, now)
    _mark(changes.unmark, None)
    for names in batches(changes.remove):
        rows = Repository.objects.select_for_update().filter(name__in=names)
        same = [row.pk for row in rows if row.version == versions.get(row.name)]
        gone = Repository.objects.filter(pk__in=same)
        Image.objects.filter(repository_row__in=gone).delete()
        gone.delete()


def claim_repositories() -> int:
    """Ties each repository to an image of the namespace it is in. Returns how many were tied.

    One in no namespace stays unclaimed, and its first part is reserved, so that nobody gets it by creating it.
    """
    owners = {namespace.name: namespace for namespace in Namespace.objects.all()}
    tied, unowned = 0, set()
    for row in Repository.objects.filter(image=None).order_by("id"):
        first, _rest = split(row.name)
        if first in owners and is_repository(row.name):
            claim(row, owners[first])
            tied += 1
        elif len(first) <= NAMESPACE_MAX:
            unowned.add(first)
    missing = unowned - set(ReservedName.objects.filter(name__in=unowned).values_list("name", flat=True))
    ReservedName.objects.bulk_create([ReservedName(name=name) for name in missing], ignore_conflicts=True)
    return tied


@transaction.atomic
def claim(row: Repository, namespace: Namespace) -> None:
    row.image, _new = Image.objects.get_or_create(namespace=namespace, name=split(row.name)[1])
    row.save(update_fields=["image"])


def known_tags(names: Iterable[str]) -> dict[str, Known]:
    """repository → what we have, in two statements for all of them. Only what belongs to an image."""
    rows = Repository.objects.filter(name__in=list(names)).exclude(image=None)
    facts = rows.values_list("name", "version", "problem")
    found = {name: Known(version, problem) for name, version, problem in facts}
    tags = Tag.objects.filter(image__repository_row__name__in=list(found)).values_list(
        "image__repository_row__name", "name", "manifest_id", "missing_since"
    )
    for repository, tag, digest, missing in tags.iterator():
        found[repository].tags[tag] = Row(digest, missing is not None)
    return found


def write_tags(read: TagsRead, known: Known, now: datetime) -> Plan:
    """Makes the picture what was read, and returns the changes. Raises Raced. The manifests are stored already.

    Of what is unchanged not one statement is made.
    """
    unread = f"{len(read.unreadable)} of its tags could not be read" if read.unreadable else ""
    problem = (read.problem or unread)[:200]
    if problem != known.problem:
        Repository.objects.filter(name=read.repository).update(problem=problem)
    if read.problem:
        return Plan()
    changes = plan(known.tags, read.digests, unreadable=read.unreadable, gone=read.gone)
    if changes:
        _write_changes(read, known, changes, now)
    return changes


@transaction.atomic
def _write_changes(read: TagsRead, known: Known, changes: Plan, now: datetime) -> None:
    # Also locks the repository until the commit: two writers take their turn.
    mine = Repository.objects.filter(name=read.repository, version=known.version).exclude(image=None)
    if not mine.update(version=F("version") + 1):
        raise Raced(read.repository)
    image = Image.objects.get(repository_row__name=read.repository)
    moves = [Move(tag, read.digests.get(tag, ""), now) for tag in changes.add + changes.move + changes.remove]
    write_moves(image, moves, how=TagMove.How.FOUND)
    for names, moment in ((changes.mark, now), (changes.unmark, None)):
        for some in batches(names):
            Tag.objects.filter(image=image, name__in=some).update(missing_since=moment)


def _mark(names: list[str], moment: datetime | None) -> None:
    for some in batches(names):
        Repository.objects.filter(name__in=some).update(missing_since=moment)
