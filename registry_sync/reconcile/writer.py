"""Writes what was read into the inventory, and nothing where nothing changed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Count, IntegerField, OuterRef, QuerySet, Subquery, Sum, When

from accounts.common.batches import BATCH, batches
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.common.prepared_queries import prepared
from namespaces import former_manifests
from namespaces.models import CatalogRead, Image, Namespace, ReservedName, Tag, TagHistoryEntry
from namespaces.names import NAMESPACE_MAX, is_repository, split
from registry_sync.client import RepositoryTags
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_changes_of_images
from registry_sync.leases import fenced
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile.planner import Plan, StoredState, make_plan


@dataclass(slots=True)
class StoredRepository:
    """What we have of a repository.

    Its image's id, the version it was read at and the last move of a tag till then, since when we know of it, its
    trouble last time, the account, and tag → row.
    """

    pk: int
    image: int
    version: int
    newest_history_id: int
    first_seen_at: datetime
    problem: str = ""
    failures: int = 0
    tags_needing_approval: int = 0
    account: int = 0
    tags: dict[str, StoredState] = field(default_factory=dict)

    def digest(self, tag: str) -> str:
        return self.tags[tag].digest if tag in self.tags else ""


def stored_names() -> dict[str, StoredState]:
    return {
        name: StoredState(missing=missing is not None)
        for name, missing in Repository.objects.values_list("name", "missing_since").iterator()
    }


def versions(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches(list(names)):
        found.update(Repository.objects.filter(name__in=batch).values_list("name", "version"))
    return found


def owners(names: Iterable[str]) -> dict[str, int | None]:
    """Return repository → the account that it belongs to."""
    found: dict[str, int | None] = {}
    for batch in batches(list(names)):
        rows = Repository.objects.filter(name__in=batch)
        found.update(rows.values_list("name", "image__namespace__account_id"))
    return found


@transaction.atomic
@fenced
def write_catalog(changes: Plan, now: datetime, versions: Mapping[str, int]) -> None:
    """Write `changes` from a complete catalog.

    A repository that is gone takes its image and tags with it, unless it was written since `versions` were read: then
    it was pushed again while we asked for others.
    """
    reserve_unowned(changes.add)  # in one commit with the rows: nobody makes a namespace of it in between
    Repository.objects.bulk_create(
        [Repository(name=name) for name in changes.add], BATCH, ignore_conflicts=True
    )
    _mark(changes.mark, now)
    _mark(changes.unmark, None)
    for names in batches(changes.remove):
        rows = Repository.objects.select_for_update().filter(name__in=names)
        same = [row.pk for row in rows if row.version == versions.get(row.name)]
        gone = Repository.objects.filter(pk__in=same)
        images = Image.objects.filter(repository_row__in=gone)
        former_manifests.keep(images, gone_at=now)
        former_manifests.note_gone(list(gone.values_list("name", flat=True)), now)
        images.delete()
        gone.delete()


def assign_all() -> int:
    """Tie each repository to an image of the namespace it is in. Return how many were tied.

    One in no namespace stays unassigned, and its first part is reserved, so that nobody gets it by creating it.
    """
    rows = [(row, split(row.name)[0]) for row in _unassigned()]
    if not rows:
        return 0
    reserved = set(ReservedName.objects.values_list("name", flat=True))
    reserve_unowned([row.name for row, first in rows if first not in reserved])
    owners = set(Namespace.objects.values_list("name", flat=True))
    owned = [row for row, first in rows if first in owners and is_repository(row.name)]
    return sum(_assign_batch(batch) for batch in batches(owned))


@prepared
def _unassigned() -> QuerySet[Repository]:
    return Repository.objects.filter(image=None).order_by("id")


@transaction.atomic
def _assign_batch(rows: Sequence[Repository]) -> int:
    owners = _owners(row.name for row in rows)
    owned = [(row, (first, rest)) for row in rows for first, rest in [split(row.name)] if first in owners]
    new = [Image(namespace=owners[first], name=rest) for _row, (first, rest) in owned]
    Image.objects.bulk_create(new, ignore_conflicts=True)
    found = Image.objects.filter(
        namespace__in=owners.values(), name__in={rest for _row, (_first, rest) in owned}
    )
    images = {(image.namespace_id, image.name): image for image in found}
    for row, (first, rest) in owned:
        row.image = images[owners[first].pk, rest]
    Repository.objects.bulk_update([row for row, _parts in owned], ["image"])
    return len(owned)


@transaction.atomic
def assign(name: str) -> Repository:
    """Write the same for one repository, which an event reported."""
    first, rest = split(name)
    owner = _owners([name]).get(first)
    if not owner:
        reserve_unowned([name])  # before the row, as everywhere: no two wait for each other crosswise
    row, _new = Repository.objects.get_or_create(name=name)
    if owner:
        row.image, _new = Image.objects.get_or_create(namespace=owner, name=rest)
        row.save(update_fields=["image"])
    return row


def _owners(repositories: Iterable[str]) -> dict[str, Namespace]:
    """Return the namespaces they are in, by name, none of which is deleted before the commit."""
    firsts = {split(name)[0] for name in repositories}
    rows = Namespace.objects.select_for_update(no_key=True).filter(name__in=firsts).order_by("name")
    return {row.name: row for row in rows}


@transaction.atomic
def reserve_unowned(repositories: Iterable[str]) -> None:
    """Keep for an operator the first parts that nobody has. What an account has, or had, stays its own."""
    firsts = {first for first, _rest in map(split, repositories) if len(first) <= NAMESPACE_MAX}
    for batch in batches(sorted(firsts)):
        unreserved = set(batch) - set(Namespace.objects.filter(name__in=batch).values_list("name", flat=True))
        while unreserved:
            new = [ReservedName(name=name) for name in sorted(unreserved)]
            ReservedName.objects.bulk_create(new, ignore_conflicts=True)
            # Locked until the commit, so that none is cleared before it is seen what for; one that was, comes again.
            rows = ReservedName.objects.select_for_update().filter(name__in=unreserved).order_by("name")
            unreserved -= {row.name for row in rows}


def record_catalog_read(began: datetime) -> None:
    if not CatalogRead.objects.filter(registry=settings.REGISTRY_URL).update(started_at=began):
        CatalogRead.objects.update_or_create(registry=settings.REGISTRY_URL, defaults={"started_at": began})


def stored_repositories(names: Iterable[str]) -> dict[str, StoredRepository]:
    """Return repository → what we have, in two statements for all of them. Only what belongs to an image."""
    # The last move first: what is written between the two statements is then noticed, and not overwritten.
    found = {
        name: StoredRepository(pk, image, version, move or 0, *more)
        for name, pk, image, version, move, *more in _facts(names=list(names))
    }
    of_image = {repository.image: repository for repository in found.values()}
    # As whole numbers: reading a million tags' moments takes longer than all the rest.
    missing, unreadable = (
        Case(When(**{f"{moment}__isnull": False}, then=1), default=0, output_field=IntegerField())
        for moment in ("missing_since", "unreadable_since")
    )
    tags = Tag.objects.filter(image__in=list(of_image)).order_by()
    columns = ("image_id", "name", "manifest_id", missing, unreadable)
    for image, name, digest, is_missing, is_unreadable in tags.values_list(*columns).iterator():
        of_image[image].tags[name] = StoredState(digest, bool(is_missing), bool(is_unreadable))
    return found


@prepared
def _facts(*, names: list[str]) -> QuerySet[Repository, Any]:
    newest_history_id = (
        TagHistoryEntry.objects.filter(image=OuterRef("image")).order_by("-id").values("id")[:1]
    )
    trouble = ("problem", "failures", "tags_needing_approval")
    return (
        Repository.objects.filter(name__in=names)
        .exclude(image=None)
        .values_list(
            "name",
            "pk",
            "image_id",
            "version",
            Subquery(newest_history_id),
            "first_seen_at",
            *trouble,
            "image__namespace__account_id",
        )
    )


def plan_changes(read: RepositoryTags, known: StoredRepository) -> Plan:
    if read.problem:
        return Plan()
    return make_plan(known.tags, read.digests, unreadable=read.unreadable, gone=read.gone)


def lost_tags(run: SyncRun, accounts: Collection[int], *, beside: Collection[str]) -> dict[int, int]:
    """Return account → tags that this run found gone, or that are held, in other repositories than these."""
    gone = TagHistoryEntry.objects.filter(
        image__namespace__account__in=accounts, how=TagHistoryEntry.How.FOUND, new=""
    )
    rows = Repository.objects.filter(
        image__namespace__account__in=accounts, tags_needing_approval__gt=0
    ).exclude(name__in=beside)
    lost: dict[int, int] = defaultdict(int)
    for losses, count in (
        (gone.filter(at__gte=run.started_at), Count("pk")),
        (rows, Sum("tags_needing_approval")),
    ):
        for account, tags in losses.order_by().values_list("image__namespace__account").annotate(count):
            lost[account] += tags
    return lost


def record_tags_needing_approval(read: RepositoryTags, known: StoredRepository, count: int) -> None:
    """How many tags stay until an operator agrees; as it was where nobody could see."""
    if not read.problem and count != known.tags_needing_approval:
        update_repositories([known.pk], tags_needing_approval=count)


def record_problem(read: RepositoryTags, known: StoredRepository, now: datetime, *, quick: bool) -> None:
    """Note what could not be read, and what can be read again. Make no statement where that is as it was.

    `quick`: most tags were not asked about, so no trouble is over.
    """
    problem = read.problem or _unreadable_text(read.unreadable)
    failures = min(known.failures + 1, Repository.FAILURES_MAX) if problem else 0
    if (problem, failures) != (known.problem, known.failures) and (problem or not quick):
        update_repositories([known.pk], problem=problem, failures=failures)
    if read.problem:
        return
    newly_unreadable = [
        tag for tag in read.unreadable if tag in known.tags and not known.tags[tag].unreadable
    ]
    readable_again = [tag for tag, row in known.tags.items() if row.unreadable and tag not in read.unreadable]
    for names, moment in ((newly_unreadable, now), (readable_again, None)):
        if names:
            _mark_unreadable(known, names, moment)


@transaction.atomic
@fenced
def update_repositories(ids: Iterable[int], **values: object) -> None:
    """Note what is said of repositories, beside their tags."""
    for batch in batches(list(ids)):
        Repository.objects.filter(pk__in=batch).update(**values)


@transaction.atomic
@fenced
def _mark_unreadable(known: StoredRepository, names: list[str], moment: datetime | None) -> None:
    for batch in batches(names):
        Tag.objects.filter(image__repository_row=known.pk, name__in=batch).update(unreadable_since=moment)


def _unreadable_text(tags: Mapping[str, str]) -> str:
    if not tags:
        return ""
    first = min(tags)  # the same in every run
    if len(tags) == 1:
        return _("%(tag)s could not be read: %(why)s", tag=first, why=tags[first])
    return ngettext(
        "%(tag)s and %(n)s more tag could not be read: %(why)s",
        "%(tag)s and %(n)s more tags could not be read: %(why)s",
        len(tags) - 1,
        tag=first,
        why=tags[first],
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """What was read of a repository, what we have, and what is to change."""

    read: RepositoryTags
    known: StoredRepository
    changes: Plan


def together(differences: Iterable[Difference]) -> Iterator[list[Difference]]:
    """Cut them into what is written in one transaction: some hundred new tags, or what else befell one repository.

    New tags alone wait for nobody's locks on tags; and a transaction that is short holds up nobody.
    """
    batch: list[Difference] = []
    tags = 0
    for each in differences:
        if len(each.changes) > len(each.changes.add):
            yield [each]
            continue
        if batch and tags + len(each.changes) > BATCH:
            yield batch
            batch, tags = [], 0
        batch.append(each)
        tags += len(each.changes)
    if batch:
        yield batch


@transaction.atomic
@fenced
def write_changes(differences: Sequence[Difference], now: datetime) -> list[Difference]:
    """Make the inventory what was read, but for tags that another moved since; return what was written.

    The manifests are stored already. Of several repositories those are left out that somebody else is writing now.
    """
    # Locked until the commit: two writers take their turn. Who holds one lock waits for no other.
    rows = Repository.objects.select_for_update(of=("self",), skip_locked=len(differences) > 1)
    rows = rows.select_related("image__namespace__account").exclude(image=None)
    stored = {row.pk: row for row in rows.filter(pk__in=[each.known.pk for each in differences])}
    written = [
        replace(each, changes=_still_wanted(each, stored[each.known.pk]))
        for each in differences
        if each.known.pk in stored
    ]
    tag_changes = {
        stored[each.known.pk].image: [
            TagChange(tag, each.read.digests.get(tag, ""), now)
            for tag in each.changes.add + each.changes.move + each.changes.remove
        ]
        for each in written
    }
    write_changes_of_images(
        {image: some for image, some in tag_changes.items() if image and some}, how=TagHistoryEntry.How.FOUND
    )
    for each in written:
        for names, moment in ((each.changes.mark, now), (each.changes.unmark, None)):
            for batch in batches(names):
                tags = Tag.objects.filter(image__repository_row=each.known.pk, name__in=batch)
                tags.update(missing_since=moment)
    return written


def _still_wanted(difference: Difference, row: Repository) -> Plan:
    known, changes = difference.known, difference.changes
    return changes if row.version == known.version else changes.without(_moved_since(row, known))


def _moved_since(row: Repository, known: StoredRepository) -> Collection[str]:
    later = TagHistoryEntry.objects.filter(image=row.image_id, id__gt=known.newest_history_id)
    return set(later.values_list("tag", flat=True))


def _mark(names: list[str], moment: datetime | None) -> None:
    for batch in batches(names):
        Repository.objects.filter(name__in=batch).update(missing_since=moment)
