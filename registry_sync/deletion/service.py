"""Asking for a removal. The wish is a row; what the person saw goes with it, and the worker acts on nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.common import clock
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.principal import Principal
from namespaces.models import Image, Tag
from namespaces.names import DIGEST, TAG
from registry_sync import jobs
from registry_sync.deletion import graph, pull_through_cache, unreadable
from registry_sync.deletion.fingerprint import fingerprint
from registry_sync.deletion.history import held_of
from registry_sync.deletion.impact import Impact, PlannedDeletion, impact
from registry_sync.models import Purge, Removal, RemovalItem, Repository

ITEMS_MAX = 100  # tags or manifests at once


@dataclass(frozen=True)
class DeletionPreview:
    """What deleting would do, as it is shown and as it must still be when it is confirmed (`preview_digest`)."""

    impact: Impact
    freed: int
    pullers: list[graph.RecentPuller]
    pullers_cut: bool  # there are more
    preview_digest: str
    refused: str = ""  # why it cannot be done; "" when it can


def preview(image: Image, *, tags: Collection[str] = (), digests: Collection[str] = ()) -> DeletionPreview:
    """Of deleting what these tags point at, and these manifests. Raise NotFound for one that is not there."""
    rows = dict(Tag.objects.filter(image=image, name__in=tags).values_list("name", "manifest_id"))
    if set(tags) - set(rows):
        raise NotFound
    chosen = {*rows.values(), *digests}
    around = graph.load_graph(image, chosen)
    if chosen - set(around.held):
        raise NotFound
    found = impact(around, tags=tags, digests=digests)
    unknown = unreadable.find(image)
    what_holds = unreadable.sentence(unknown) if chosen - {each.digest for each in unknown} else ""
    pullers = graph.pullers(image, around, [each.digest for each in found.going], timezone.now())
    return DeletionPreview(
        found,
        graph.freed_bytes(image, around, found.going),
        pullers[: graph.PULLERS_SHOWN],
        len(pullers) > graph.PULLERS_SHOWN,
        _preview_digest(found),
        pull_through_cache.refusal() or (refusal_text(found) if found.refused else what_holds),
    )


def untag(*, by: Principal, image: Image, tags: Mapping[str, str], most: int = ITEMS_MAX) -> Removal:
    """`tags`: each with the digest that the person saw it point at; what it pointed at stays."""
    pull_through_cache.refuse_changes()
    _check_count(tags, most)
    rows = dict(Tag.objects.filter(image=image, name__in=list(tags)).values_list("name", "manifest_id"))
    for tag, digest in tags.items():
        if rows.get(tag) != digest:
            raise Conflict.on(
                "tags", _("The tag %(tag)s is not what you saw any more; look again.") % {"tag": tag}
            )
    return _ask(
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
    most: int = ITEMS_MAX,
) -> Removal:
    """Ask for what `preview` showed for the same tags and digests, if it is still that."""
    _check_count({*tags, *digests}, most)
    if confirmation != image.name:
        raise Invalid.on("confirmation", _("Type %(name)s to confirm.") % {"name": image.name})
    found = preview(image, tags=tags, digests=digests)
    if found.refused:
        raise Conflict.on("", found.refused)
    if preview_digest != found.preview_digest:
        raise Conflict.on(
            "preview_digest",
            _("What would go has changed since you looked; read it again, and confirm that."),
        )
    return _ask(by, image, Removal.Kind.DELETE, [item_of(going) for going in found.impact.going])


def restore(*, by: Principal, image: Image, tag: str, digest: str, expected_digest: str) -> Removal:
    """Ask to point the tag at `digest` again; `expected_digest`: where it pointed when they looked, "" for no tag."""
    if not TAG.fullmatch(tag) or not DIGEST.fullmatch(digest):
        raise Invalid.on("tag", _("This is no tag and digest."))
    pull_through_cache.refuse_changes()
    if digest not in held_of(image, {digest}):
        raise Conflict.on(
            "digest", _("The registry does not hold this image any more, so it cannot be put back.")
        )
    now = Tag.objects.filter(image=image, name=tag).values_list("manifest_id", flat=True).first() or ""
    if now == digest and not _left_halfway(image, tag, digest):
        raise Conflict.on("tag", _("The tag points at it already."))
    if now != expected_digest:
        raise Conflict.on(
            "tag", _("The tag %(tag)s is not what you saw any more; look again.") % {"tag": tag}
        )
    return _ask(
        by,
        image,
        Removal.Kind.RESTORE,
        [RemovalItem(tag=tag, digest=digest, expected_digest=expected_digest)],
    )


def create(
    by: Principal, image: Image, kind: Removal.Kind, items: list[RemovalItem], *, run_id: int | None = None,
    purge: Purge | None = None, undoes: Removal | None = None,
) -> Removal:  # fmt: skip
    """In the caller's transaction; the caller wakes the worker."""
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
        "%(digest)s is one platform of the image tagged %(tags)s; without it that image would be there and not work. "
        "Delete that image as a whole, or remove only the tag."
    )
    short = first.digest.rpartition(":")[2][:12]
    return sentence % {"digest": short, "tags": ", ".join(first.tags[:5])}


def item_of(going: PlannedDeletion) -> RemovalItem:
    told = {
        "tags": list(going.tags), "indexes": list(going.indexes), "referrers": list(going.referrers),
        "after": list(going.after),
    }  # fmt: skip
    return RemovalItem(digest=going.digest, confirmed_dependents=told)


def _ask(by: Principal, image: Image, kind: Removal.Kind, items: list[RemovalItem]) -> Removal:
    if not Repository.objects.filter(image=image).exists():
        raise NotFound
    with transaction.atomic():
        Image.objects.select_for_update().get(pk=image.pk)
        removal = _same(image, kind, items) or create(by, image, kind, items)
        transaction.on_commit(jobs.wake_removals)
    return removal


def _same(image: Image, kind: Removal.Kind, items: list[RemovalItem]) -> Removal | None:
    """Return the removal of a button that was pressed twice: it asks once."""
    wanted = {(item.tag, item.digest, item.expected_digest) for item in items}
    for waiting in Removal.objects.filter(image=image, kind=kind, state=Removal.State.WAITING, run=None):
        if set(waiting.items.values_list("tag", "digest", "expected_digest")) == wanted:
            return waiting
    return None


def _left_halfway(image: Image, tag: str, digest: str) -> bool:
    """Return True when a placeholder may be under the tag, which the inventory never shows."""
    begun = RemovalItem.objects.filter(removal__image=image, tag=tag, digest=digest, started_at__isnull=False)
    ended = begun.filter(state__in=[RemovalItem.State.FAILED, RemovalItem.State.STOPPED])
    return ended.exclude(placeholder_digest="").exists()


def _preview_digest(found: Impact) -> str:
    """Names all of it, so that a confirmation is of this and of nothing more."""
    whole = [
        [each.digest, each.tags, each.indexes, each.referrers, each.after]
        for each in sorted(found.going, key=lambda going: going.digest)
    ]
    return fingerprint(whole)


def _check_count(chosen: Collection[str], most: int) -> None:
    if not chosen:
        raise Invalid.on("tags", _("Choose at least one tag."))
    if len(chosen) > most:
        raise Invalid.on("tags", _("Choose at most %(most)s at once.") % {"most": most})
