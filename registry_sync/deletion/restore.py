"""Restores what was deleted.

The registry keeps layers until its garbage collection runs, and the panel keeps the manifests: pushed again, they make
the very same image.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.common.errors import Conflict
from accounts.principal import Principal
from namespaces.models import Image
from registry_sync import jobs
from registry_sync.deletion import pull_through_cache, service
from registry_sync.deletion.outcomes import Outcome
from registry_sync.models import Removal, RemovalItem

KEPT = {"kept": True}  # the panel has the manifest's bytes


def items_to_restore(removal: Removal) -> list[RemovalItem]:
    """Return items that push again what it deleted, in an order that a registry takes: children before their index."""
    found = []
    for item in deleted_items(removal).order_by("-id").iterator():
        tags = item.confirmed_dependents.get("tags", ())
        found += [RemovalItem(tag=tag, digest=item.digest, confirmed_dependents=KEPT) for tag in tags or [""]]
    return found


def deleted_items(removal: Removal) -> QuerySet[RemovalItem]:
    done = removal.items.filter(state=RemovalItem.State.DONE, outcome=Outcome.DONE)
    return done if removal.kind == Removal.Kind.DELETE else done.none()


def can_restore(removal: Removal) -> bool:
    """Return True when it has ended, and deleted something."""
    return removal.state != Removal.State.WAITING and deleted_items(removal).exists()


def restore_removal(*, by: Principal, removal: Removal) -> Removal:
    """Request that all it deleted is pushed again. Return the request that waits already, if there is one."""
    if not can_restore(removal):
        raise Conflict.on("", _("This deleted nothing that can be restored."))
    pull_through_cache.refuse_changes()
    with transaction.atomic():
        Image.objects.select_for_update().get(pk=removal.image_id)
        waiting = Removal.objects.filter(image=removal.image, state=Removal.State.WAITING)
        already = waiting.filter(kind=Removal.Kind.RESTORE, undoes=removal).first()
        restoring = already or service.create(
            by, removal.image, Removal.Kind.RESTORE, items_to_restore(removal), undoes=removal
        )
        transaction.on_commit(jobs.wake_removals)
    return restoring
