"""Requests removals. Each is stored with what the person saw, and the worker acts on nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.common import clock
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.prepared_queries import prepared
from accounts.common.translation import translate
from accounts.principal import Principal
from namespaces.models import Image, Tag
from namespaces.names import DIGEST, TAG
from registry_sync import jobs
from registry_sync.deletion import freed_space, graph, pull_through_cache, unreadable
from registry_sync.deletion.fingerprint import fingerprint
from registry_sync.deletion.freed_space import FreedSpace
from registry_sync.deletion.history import present_digests
from registry_sync.deletion.impact import Impact, PlannedDeletion, impact
from registry_sync.models import Purge, Removal, RemovalItem, Repository

ITEMS_MAX = 100  # tags or manifests at once


@dataclass(frozen=True)
class DeletionPreview:
    """What deleting would do. A confirmation carries `preview_digest`, and is refused when that has changed."""

    impact: Impact
    space: FreedSpace
    pullers: list[graph.RecentPuller]
    has_more_pullers: bool
    preview_digest: str
    blocked_reason: str = ""  # why it cannot be done; "" when it can


def preview(image: Image, *, tags: Collection[str] = (), digests: Collection[str] = ()) -> DeletionPreview:
    """Return what deleting these manifests, and what the tags point at, would do. Raise NotFound for a missing one."""
    rows = dict(_digests_by_tag(image=image.pk, tags=list(tags)))
    if set(tags) - set(rows):
        raise NotFound
    chosen = {*rows.values(), *digests}
    loaded = graph.load_graph(image, chosen)
    if chosen - set(loaded.nodes):
        raise NotFound
    found = impact(loaded, tags=tags, digests=digests)
    unread = unreadable.find(image)
    blocked = unreadable.why_blocked(unread) if chosen - {each.digest for each in unread} else ""
    pullers = graph.pullers(image, loaded, [each.digest for each in found.deletions], timezone.now())
    return DeletionPreview(
        found,
        freed_space.of_deletions(image, loaded, found.deletions),
        pullers[: graph.PULLERS_SHOWN],
        len(pullers) > graph.PULLERS_SHOWN,
        _preview_digest(found),
        translate(pull_through_cache.refusal() or (refusal_text(found) if found.refused else blocked)),
    )


@prepared
def _digests_by_tag(*, image: int, tags: list[str]) -> QuerySet[Tag, tuple[str, str]]:
    return Tag.objects.filter(image=image, name__in=tags).values_list("name", "manifest_id")


def untag(*, by: Principal, image: Image, tags: Mapping[str, str], items_max: int = ITEMS_MAX) -> Removal:
    """Request that tags are removed, and their manifests stay. `tags`: tag → the digest that the person saw."""
    pull_through_cache.refuse_changes()
    _check_count(tags, items_max)
    rows = dict(_digests_by_tag(image=image.pk, tags=list(tags)))
    for tag, digest in tags.items():
        if rows.get(tag) != digest:
            raise Conflict.on(
                "tags", _("The tag %(tag)s has changed since you saw it; check it again.") % {"tag": tag}
            )
    return _request(
        by, image, Removal.Kind.UNTAG, [RemovalItem(tag=tag, digest=tags[tag]) for tag in sorted(tags)]
    )


def delete(
    *,
    by: Principal,
    image: Image,
    tags: Collection[str],
    digests: Collection[str],
    preview_digest: str,
    confirmation: str,
    items_max: int = ITEMS_MAX,
) -> Removal:
    """Request what `preview` showed for these tags and digests. Raise Conflict when that has changed since."""
    _check_count({*tags, *digests}, items_max)
    if confirmation != image.name:
        raise Invalid.on("confirmation", _("Type %(name)s to confirm.") % {"name": image.name})
    found = preview(image, tags=tags, digests=digests)
    if found.blocked_reason:
        raise Conflict.on("", found.blocked_reason)
    if preview_digest != found.preview_digest:
        raise Conflict.on(
            "preview_digest",
            _("What would be removed has changed since you looked; review it again, then confirm."),
        )
    return _request(by, image, Removal.Kind.DELETE, [item_of(each) for each in found.impact.deletions])


def restore(*, by: Principal, image: Image, tag: str, digest: str, expected_digest: str) -> Removal:
    """Request that the tag points at `digest` again. `expected_digest`: what the person saw, "" for no tag."""
    if not TAG.fullmatch(tag) or not DIGEST.fullmatch(digest):
        raise Invalid.on("tag", _("This is not a tag and digest."))
    pull_through_cache.refuse_changes()
    if digest not in present_digests(image, {digest}):
        raise Conflict.on("digest", _("The registry no longer has this image, so it cannot be restored."))
    now = Tag.objects.filter(image=image, name=tag).values_list("manifest_id", flat=True).first() or ""
    if now == digest and not _left_halfway(image, tag, digest):
        raise Conflict.on("tag", _("The tag already points to it."))
    if now != expected_digest:
        raise Conflict.on(
            "tag", _("The tag %(tag)s has changed since you saw it; check it again.") % {"tag": tag}
        )
    return _request(
        by,
        image,
        Removal.Kind.RESTORE,
        [RemovalItem(tag=tag, digest=digest, expected_digest=expected_digest)],
    )


def create(
    by: Principal, image: Image, kind: Removal.Kind, items: list[RemovalItem], *, run_id: int | None = None,
    purge: Purge | None = None, undoes: Removal | None = None,
) -> Removal:  # fmt: skip
    """Store a removal in the caller's transaction; the caller wakes the worker."""
    removal = Removal.objects.create(
        image=image,
        kind=kind,
        requested_by=by.label[:254],
        requested_by_id=by.id,
        address=by.address[:45],
        run_id=run_id,
        purge=purge,
        undoes=undoes,
        due_at=clock.now(),
    )
    for item in items:
        item.removal = removal
    RemovalItem.objects.bulk_create(items, 500)
    return removal


def refusal_text(found: Impact) -> str:
    first = found.refused[0]
    sentence = _(
        "%(digest)s is one platform of the image tagged %(tags)s; without it that image would remain but "
        "not work. Delete that image as a whole, or remove only the tag."
    )
    short = first.digest.rpartition(":")[2][:12]
    return sentence % {"digest": short, "tags": ", ".join(first.tags[:5])}


def item_of(deletion: PlannedDeletion) -> RemovalItem:
    dependents = {
        "tags": list(deletion.tags),
        "indexes": list(deletion.indexes),
        "referrers": list(deletion.referrers),
        "after": list(deletion.after),
    }
    return RemovalItem(digest=deletion.digest, confirmed_dependents=dependents)


def _request(by: Principal, image: Image, kind: Removal.Kind, items: list[RemovalItem]) -> Removal:
    if not Repository.objects.filter(image=image).exists():
        raise NotFound
    with transaction.atomic():
        Image.objects.select_for_update().get(pk=image.pk)
        removal = _waiting_removal(image, kind, items) or create(by, image, kind, items)
        transaction.on_commit(jobs.wake_removals)
    return removal


def _waiting_removal(image: Image, kind: Removal.Kind, items: list[RemovalItem]) -> Removal | None:
    """Return the same removal that waits already: a button pressed twice requests once."""
    wanted = {(item.tag, item.digest, item.expected_digest) for item in items}
    for waiting in Removal.objects.filter(image=image, kind=kind, state=Removal.State.WAITING, run=None):
        if set(waiting.items.values_list("tag", "digest", "expected_digest")) == wanted:
            return waiting
    return None


def _left_halfway(image: Image, tag: str, digest: str) -> bool:
    """Return True when a placeholder may be under the tag, which the inventory never shows."""
    started = RemovalItem.objects.filter(
        removal__image=image, tag=tag, digest=digest, started_at__isnull=False
    )
    ended = started.filter(state__in=[RemovalItem.State.FAILED, RemovalItem.State.STOPPED])
    return ended.exclude(placeholder_digest="").exists()


def _preview_digest(found: Impact) -> str:
    """Return a fingerprint of all of it, so that a confirmation covers this and nothing more."""
    whole = [
        [each.digest, each.tags, each.indexes, each.referrers, each.after]
        for each in sorted(found.deletions, key=lambda deletion: deletion.digest)
    ]
    return fingerprint(whole)


def _check_count(chosen: Collection[str], items_max: int) -> None:
    if not chosen:
        raise Invalid.on("tags", _("Select at least one tag."))
    if len(chosen) > items_max:
        raise Invalid.on("tags", _("Select at most %(most)s at once.") % {"most": items_max})
