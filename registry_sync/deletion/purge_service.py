"""Requests, stops and restores purges: deletions of one image, several, or a namespace, with all in them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.lazy_text import lazy as gettext_lazy
from accounts.models import Account
from accounts.principal import Principal
from accounts.roles import Permission
from namespaces import permissions
from namespaces.models import Image, Namespace, ReservedName
from registry_sync import jobs
from registry_sync.deletion import pull_through_cache, purge_scope, purge_selection
from registry_sync.deletion.outcomes import Outcome
from registry_sync.deletion.purge_scope import PurgeScope
from registry_sync.deletion.purge_selection import ImageSelection
from registry_sync.models import Purge, Removal, RemovalItem, Repository

State = Purge.State


class Actions(NamedTuple):
    """The audit actions of one step: of the purge of a namespace, and of images."""

    namespace: AuditAction
    image: AuditAction


REQUESTED = Actions(AuditAction.NAMESPACE_DELETION_REQUESTED, AuditAction.IMAGE_DELETION_REQUESTED)
STOPPED = Actions(AuditAction.NAMESPACE_DELETION_STOPPED, AuditAction.IMAGE_DELETION_STOPPED)
DELETED = Actions(AuditAction.NAMESPACE_EMPTIED, AuditAction.IMAGE_DELETED)
RESTORE_REQUESTED = Actions(AuditAction.NAMESPACE_RESTORE_REQUESTED, AuditAction.IMAGE_RESTORE_REQUESTED)
RESTORED = Actions(AuditAction.NAMESPACE_RESTORED, AuditAction.IMAGE_RESTORED)


def load_deletable_namespace(by: Principal, handle: str, name: str) -> Namespace:
    """Return the namespace, if the person may delete it and its images. Raise NotFound, Forbidden."""
    permissions.namespace(by, handle, name, Permission.IMAGES_REMOVE)
    return permissions.namespace(by, handle, name, Permission.NAMESPACES_MANAGE)


def load(
    by: Principal,
    handle: str,
    name: str,
    id: int,  # noqa: A002
    permission: Permission = Permission.ACCOUNT_VIEW,
) -> Purge:
    namespace = permissions.namespace(by, handle, name, permission)
    purge = Purge.objects.select_related("image").filter(namespace=namespace, pk=id).first()
    if not purge:
        raise NotFound
    purge.namespace = namespace
    if purge.image:
        purge.image.namespace = namespace
    return purge


@transaction.atomic
def request_purge(
    *, by: Principal, namespace: Namespace, image: Image | None, preview_digest: str, confirmation: str
) -> Purge:
    """Request what `purge_scope.preview` showed. Raise Conflict when that has changed since."""
    _check_confirmation(image.name if image else namespace.name, confirmation)
    pull_through_cache.refuse_changes()
    images = purge_scope.images_of(namespace, image)
    _lock_repositories(images)
    if waiting := Purge.objects.filter(
        namespace=namespace, image=image, chosen=0, state=State.WAITING
    ).first():
        return waiting
    scope = purge_scope.scope_of(images)
    _check_unchanged(scope, preview_digest)
    return _create(by, scope, namespace=namespace, image=image)


@transaction.atomic
def request_purges(
    *, by: Principal, selection: ImageSelection, preview_digest: str, confirmation: str
) -> list[Purge]:
    """As `request_purge`, for the selected images: one purge for each of their namespaces."""
    pull_through_cache.refuse_changes()
    _lock_repositories(selection.images())
    scope = purge_scope.scope_of(selection.images())
    parts = purge_selection.by_namespace(scope)
    waiting = [each for part in parts if (each := _waiting_purge(part))]
    if parts and len(waiting) == len(parts):
        return waiting
    _check_unchanged(scope, preview_digest)
    _check_confirmation(purge_selection.confirmation_phrase(scope), confirmation)
    return [_create(by, part, **_target_fields(part)) for part in parts]


@transaction.atomic
def stop(*, by: Principal, purge: Purge) -> Purge:
    """Stop it: what no worker has started is not done. Do nothing for one that has ended."""
    row = locked(purge)
    if row.state == State.WAITING:
        ended = row.removals.exclude(state=Removal.State.WAITING).values_list("image_id", flat=True)
        record(row, by, STOPPED, {key: {} for key in {*map(int, row.cutoffs)} - {*ended}})
        withdraw(row)
        transaction.on_commit(jobs.wake_removals)
    return row


@transaction.atomic
def restore(*, by: Principal, purge: Purge) -> Purge:
    """Push all again that it deleted, if the registry still has the layers. Raise Conflict for nothing to restore."""
    row = locked(purge)
    if row.state == State.RESTORING:
        return row
    if row.state == State.WAITING:
        raise Conflict.on("", _("It is still being deleted; stop that first."))
    if not can_restore(row):
        raise Conflict.on("", _("This deleted nothing that can be restored."))
    pull_through_cache.refuse_changes()
    row.state, row.planned_at, row.attempts, row.problem = State.RESTORING, None, 0, ""
    row.restoring_since, row.ends_at, row.finished_at = timezone.now(), None, None
    row.requested_by, row.requested_by_id, row.address = by.label[:254], by.id, by.address[:45]
    row.save()
    images = deleted_items(row).order_by().values_list("removal__image_id", flat=True).distinct()
    record(row, by, RESTORE_REQUESTED, {key: {} for key in images})
    transaction.on_commit(jobs.wake_removals)
    return row


def can_restore(purge: Purge) -> bool:
    """Return True when it has ended, and deleted something that is not restored yet."""
    return purge.state not in (*Purge.OPEN, State.RESTORED) and deleted_items(purge).exists()


def deleted_items(purge: Purge) -> QuerySet[RemovalItem]:
    """Return what it deleted."""
    items = RemovalItem.objects.filter(removal__purge=purge, removal__kind=Removal.Kind.DELETE)
    return items.filter(state=RemovalItem.State.DONE, outcome=Outcome.DONE)


def recent_purges(account: Account) -> QuerySet[Purge]:
    """Return purges that are open, or ended within a day; restored ones within an hour."""
    rows = Purge.objects.select_related("image__namespace", "namespace__account")
    return rows.filter(Purge.recent(**Purge.recent_since(timezone.now())), namespace__account=account)


def locked(purge: Purge) -> Purge:
    """Lock it until the commit; the reserved name first, in the order of a namespace's deletion. Raise NotFound."""
    list(ReservedName.objects.select_for_update().filter(name=purge.namespace.name))
    rows = Purge.objects.select_for_update(of=("self",)).select_related(
        "namespace__account", "image__namespace"
    )
    if not (row := rows.filter(pk=purge.pk).first()):
        raise NotFound
    return row


def withdraw(purge: Purge) -> None:
    """Cancel what no worker has started. The worker finishes the purge after the item that it is working on."""
    waiting = RemovalItem.objects.filter(
        removal__purge=purge, state=RemovalItem.State.WAITING, started_at=None
    )
    waiting.update(state=RemovalItem.State.STOPPED, outcome=Outcome.CANCELLED, finished_at=timezone.now())
    planned = {str(key) for key in purge.removals.values_list("image_id", flat=True)}
    purge.problem = (
        "" if planned >= purge.cutoffs.keys() else gettext_lazy("It was stopped before all of it was begun.")
    )
    purge.cutoffs = {key: mark for key, mark in purge.cutoffs.items() if key in planned}
    purge.planned_at = purge.planned_at or timezone.now()
    purge.save(update_fields=["cutoffs", "planned_at", "problem"])


def record(purge: Purge, by: Principal, actions: Actions, counts: Mapping[int, Mapping[str, int]]) -> None:
    """Audit a step: one event for each image, or one for a whole namespace.

    `counts`: image's key → {what was counted: number}.
    """
    account = purge.namespace.account
    if purge.of_namespace:
        total = Counter({"images": len(counts)})
        for each in counts.values():
            total.update(each)
        audit.record(
            by=by, action=actions.namespace, kind="namespace", id=purge.namespace_id, label=purge.namespace.name,
            account=account, after=total,
        )  # fmt: skip
        return
    for image in Image.objects.select_related("namespace").filter(pk__in=counts.keys()).order_by("name"):
        audit.record(
            by=by, action=actions.image, kind="image", id=image.pk, label=image.repository, account=account,
            after=dict(counts[image.pk]),
        )  # fmt: skip


def _check_confirmation(phrase: str, typed: str) -> None:
    if typed != phrase:
        raise Invalid.on("confirmation", _("Type %(name)s to confirm.") % {"name": phrase})


def _check_unchanged(scope: PurgeScope, preview_digest: str) -> None:
    if not scope.images:
        raise Conflict.on("", _("There is nothing in it that could be deleted."))
    if preview_digest != scope.preview_digest:
        raise Conflict.on(
            "preview_digest",
            _("What would be removed has changed since you looked; review it again, then confirm."),
        )


def _target_fields(part: PurgeScope) -> dict[str, Any]:
    """Return the purge's fields. A single selected image is deleted as from its own page."""
    image, one = part.images[0].image, len(part.images) == 1
    return {
        "namespace": image.namespace,
        "image": image if one else None,
        "chosen": 0 if one else len(part.images),
    }


def _waiting_purge(part: PurgeScope) -> Purge | None:
    """Return the purge of the same images that waits already: a button pressed twice requests once."""
    waiting = Purge.objects.filter(**_target_fields(part), state=State.WAITING)
    return next((each for each in waiting if each.cutoffs.keys() == part.cutoffs.keys()), None)


def _create(
    by: Principal, scope: PurgeScope, *, namespace: Namespace, image: Image | None, chosen: int = 0
) -> Purge:
    # The namespace of an earlier purge is not deleted while this one is open.
    Purge.objects.filter(namespace=namespace, state=State.EMPTIED).update(state=State.DONE, ends_at=None)
    purge = Purge.objects.create(
        namespace=namespace, image=image, chosen=chosen, cutoffs=scope.cutoffs, requested_by=by.label[:254],
        requested_by_id=by.id, address=by.address[:45],
    )  # fmt: skip
    counts = {each.image.pk: {"tags": each.tags, "manifests": each.manifests} for each in scope.images}
    record(purge, by, REQUESTED, counts)
    transaction.on_commit(jobs.wake_removals)
    return purge


def _lock_repositories(images: QuerySet[Image]) -> None:
    """Lock them: every writer of an image's tags or manifests locks its repository first."""
    list(Repository.objects.select_for_update().filter(image__in=images.values("pk")).order_by("name"))
