"""Asking that an image, or a namespace with all its images, goes; stopping that; and having it put back."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.errors import Absent, Conflict, Invalid
from accounts.principal import Principal
from accounts.roles import Act
from namespaces import gate
from namespaces.models import Image, Namespace, ReservedName
from registry_sync import services
from registry_sync.models import Purge, Removal, RemovalItem, Repository
from registry_sync.removal import whole
from registry_sync.removal.outcomes import Outcome

LATELY = timedelta(days=1)
State = Purge.State


def may_ask(by: Principal, handle: str, name: str) -> Namespace:
    """The namespace, for who may delete what is in it, and it. Raises Absent, Refused."""
    gate.namespace(by, handle, name, Act.IMAGES_REMOVE)
    return gate.namespace(by, handle, name, Act.NAMESPACES_MANAGE)


def load(by: Principal, handle: str, name: str, id: int, act: Act = Act.ACCOUNT_VIEW) -> Purge:  # noqa: A002
    namespace = gate.namespace(by, handle, name, act)
    found = Purge.objects.select_related("namespace__account", "image__namespace__account")
    purge = found.filter(namespace=namespace, pk=id).first()
    if not purge:
        raise Absent
    return purge


def ask(*, by: Principal, namespace: Namespace, image: Image | None, told: str, typed_name: str) -> Purge:
    """What `whole.outlook` showed, if it is still that."""
    name = image.name if image else namespace.name
    if typed_name != name:
        raise Invalid.on("typed_name", _("Type %(name)s to confirm.") % {"name": name})
    with transaction.atomic():
        _lock(whole.images(namespace, image))
        same = Purge.objects.filter(namespace=namespace, image=image, state=State.WAITING).first()
        if same:
            return same
        there = whole.standing(namespace, image)
        if not there.lines:
            raise Conflict.on("", _("There is nothing in it that could be deleted."))
        if told != there.told:
            raise Conflict.on(
                "told", _("What would go has changed since you looked; read it again, and confirm that.")
            )
        # What came after an earlier one had emptied it keeps the namespace, until this one ends.
        Purge.objects.filter(namespace=namespace, state=State.EMPTIED).update(state=State.DONE, ends_at=None)
        purge = Purge.objects.create(
            namespace=namespace, image=image, marks=there.marks, asked_by=by.label[:254], asked_by_id=by.id,
            address=by.address[:45],
        )  # fmt: skip
        counts = {"images": len(there.lines), "tags": there.tags, "manifests": there.manifests}
        record(purge, by, "deletion_asked", after=counts)
        transaction.on_commit(services.wake_removals)
    return purge


@transaction.atomic
def stop(*, by: Principal, purge: Purge) -> Purge:
    """What nobody has begun is not done. Nothing for one that ended."""
    row = locked(purge)
    if row.state == State.WAITING:
        withdraw(row)
        record(row, by, "deletion_stopped")
        transaction.on_commit(services.wake_removals)
    return row


@transaction.atomic
def put_back(*, by: Principal, purge: Purge) -> Purge:
    """All that it deleted, as far as the registry still has the layers. Raises Conflict where there is nothing."""
    row = locked(purge)
    if row.state == State.RETURNING:
        return row
    if row.state == State.WAITING:
        raise Conflict.on("", _("It is still being deleted; stop that first."))
    if row.state == State.BACK or not went(row).exists():
        raise Conflict.on("", _("This deleted nothing that could be put back."))
    row.state, row.planned_at, row.attempts, row.problem = State.RETURNING, None, 0, ""
    row.returning_since, row.ends_at, row.finished_at = timezone.now(), None, None
    row.asked_by, row.asked_by_id, row.address = by.label[:254], by.id, by.address[:45]
    row.save()
    record(row, by, "put_back_asked")
    transaction.on_commit(services.wake_removals)
    return row


def went(purge: Purge) -> QuerySet[RemovalItem]:
    """What it deleted."""
    items = RemovalItem.objects.filter(removal__purge=purge, removal__kind=Removal.Kind.DELETE)
    return items.filter(state=RemovalItem.State.DONE, outcome=Outcome.DONE)


def lately(namespace: Namespace) -> QuerySet[Purge]:
    """What is under way, and what ended within a day."""
    rows = Purge.objects.select_related("image__namespace", "namespace").filter(namespace=namespace)
    return rows.filter(
        Q(state__in=[*Purge.OPEN, State.EMPTIED]) | Q(finished_at__gte=timezone.now() - LATELY)
    )


def locked(purge: Purge) -> Purge:
    """Until the commit. The name first, as whoever deletes the namespace has it."""
    list(ReservedName.objects.select_for_update().filter(name=purge.namespace.name))
    rows = Purge.objects.select_for_update(of=("self",)).select_related(
        "namespace__account", "image__namespace"
    )
    if not (row := rows.filter(pk=purge.pk).first()):
        raise Absent
    return row


def withdraw(purge: Purge) -> None:
    """The worker says how it ended when what it is at just now is done."""
    waiting = RemovalItem.objects.filter(removal__purge=purge, state=RemovalItem.State.WAITING, begun_at=None)
    waiting.update(state=RemovalItem.State.STOPPED, outcome=Outcome.CANCELLED, finished_at=timezone.now())
    planned = {str(key) for key in purge.removals.values_list("image_id", flat=True)}
    purge.problem = (
        "" if planned >= purge.marks.keys() else str(_("It was stopped before all of it was begun."))
    )
    purge.marks = {key: mark for key, mark in purge.marks.items() if key in planned}
    purge.planned_at = purge.planned_at or timezone.now()
    purge.save(update_fields=["marks", "planned_at", "problem"])


def record(purge: Purge, by: Principal, deed: str, *, after: dict[str, int] | None = None) -> None:
    kind, row = ("image", purge.image) if purge.image else ("namespace", purge.namespace)
    audit.record(
        by=by, action=f"{kind}.{deed}", kind=kind, id=row.pk, label=str(row), account=purge.namespace.account,
        after=after,
    )  # fmt: skip


def _lock(images: QuerySet[Image]) -> None:
    """Whoever writes tags or manifests of an image locks its repository first, so nothing comes in between."""
    list(Repository.objects.select_for_update().filter(image__in=images.values("pk")).order_by("name"))
