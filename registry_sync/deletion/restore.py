"""Putting back what was deleted.

The registry keeps layers until its garbage collection runs, and the panel keeps the manifests: pushed again, they are
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

KEPT = {"kept": True}


def items(removal: Removal) -> list[RemovalItem]:
    """Return what it deleted, in an order in which a registry takes it: what an index lists before the index."""
    found = []
    for item in deleted(removal).order_by("-id").iterator():
        tags = item.confirmed_dependents.get("tags", ())
        found += [RemovalItem(tag=tag, digest=item.digest, confirmed_dependents=KEPT) for tag in tags or [""]]
    return found


def deleted(removal: Removal) -> QuerySet[RemovalItem]:
    done = removal.items.filter(state=RemovalItem.State.DONE, outcome=Outcome.DONE)
    return done if removal.kind == Removal.Kind.DELETE else done.none()


def can_restore(removal: Removal) -> bool:
    return removal.state != Removal.State.WAITING and deleted(removal).exists()


def restore_removal(*, by: Principal, removal: Removal) -> Removal:
    """All that it deleted; the same again while that waits."""
    if not can_restore(removal):
        raise Conflict.on("", _("This deleted nothing that could be put back."))
    pull_through_cache.refuse_changes()
    with transaction.atomic():
        Image.objects.select_for_update().get(pk=removal.image_id)
        waiting = Removal.objects.filter(image=removal.image, state=Removal.State.WAITING)
        same = waiting.filter(kind=Removal.Kind.RESTORE, undoes=removal).first()
        found = same or service.create(
            by, removal.image, Removal.Kind.RESTORE, items(removal), undoes=removal
        )
        transaction.on_commit(jobs.wake_removals)
    return found
