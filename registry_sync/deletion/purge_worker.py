"""The worker's part of purges: plans them, finishes them, and deletes the emptied namespace a day later.

The removal of each image is created in a transaction of its own, so a worker may die at any point.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from accounts.common.errors import Conflict, NotFound
from accounts.common.fair_share import in_turns
from accounts.common.lazy_text import joined
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.models import Member
from accounts.principal import Kind, Principal
from accounts.roles import Permission, Role, has_permission
from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from namespaces.services import namespaces
from registry_sync import leases
from registry_sync.deletion import graph, purge_scope, purge_service, restore, service, unreadable
from registry_sync.deletion.impact import PlannedDeletion, deletable_without_harm
from registry_sync.deletion.outcomes import in_short, undecided
from registry_sync.deletion.purge_service import State
from registry_sync.leases import LeaseHandle
from registry_sync.models import Purge, Removal, RemovalItem

GRACE_PERIOD = timedelta(days=1)  # an emptied namespace stays so long, so that all in it can be restored
ATTEMPTS_MAX = 5
PASS_SECONDS = 60  # removals that people requested wait meanwhile
LEASE = "purges"

log = logging.getLogger(__name__)


def work_due() -> None:
    """Plan and finish purges, and delete emptied namespaces. One worker at a time."""
    if not Purge.objects.filter(state__in=[*Purge.OPEN, State.EMPTIED]).exists():
        return
    try:
        with leases.hold(LEASE) as lease:
            if lease is not None:
                _work(lease)
    except leases.LeaseLost:
        log.warning("another worker took the purges over")


def finish_if_done(purge_id: int) -> None:
    """Finish the purge when none of its removals waits. Does nothing the second time."""
    with transaction.atomic():
        try:
            purge = purge_service.locked(Purge.objects.select_related("namespace").get(pk=purge_id))
        except (NotFound, Purge.DoesNotExist):
            return
        if purge.state not in Purge.OPEN or not purge.planned_at:
            return
        if purge.removals.filter(state=Removal.State.WAITING).exists():
            return
        _finish(purge)


def _work(lease: LeaseHandle) -> None:
    ends = time.monotonic() + PASS_SECONDS
    rows = Purge.objects.select_related("namespace__account", "image__namespace__account").order_by(
        "attempts", "id"
    )
    for purge in rows.filter(state__in=Purge.OPEN).exclude(namespace__account__closed_at=None):
        with suppress(NotFound), transaction.atomic():
            purge_service.withdraw(purge_service.locked(purge))
    unplanned = in_turns(
        rows.filter(state__in=Purge.OPEN, planned_at=None), lambda each: each.namespace.account_id
    )
    for purge in unplanned:
        if time.monotonic() > ends:
            return
        _try_to_plan(purge, lease, ends)
    for key in rows.filter(state__in=Purge.OPEN).exclude(planned_at=None).values_list("pk", flat=True):
        finish_if_done(key)
    for purge in rows.filter(state=State.EMPTIED, ends_at__lte=timezone.now()):
        _delete_namespace(purge)


def _try_to_plan(purge: Purge, lease: LeaseHandle, ends: float) -> None:
    """Plan image by image until `ends` (`time.monotonic()`); the next pass continues."""
    plan = _plan_deletions if purge.state == State.WAITING else _plan_restores
    try:
        if purge.attempts >= ATTEMPTS_MAX:
            _give_up(
                purge,
                undecided(purge.attempts),
            )
            return
        Purge.objects.filter(pk=purge.pk).update(attempts=F("attempts") + 1)
        if plan(purge, lease, ends):
            Purge.objects.filter(pk=purge.pk, planned_at=None).update(planned_at=timezone.now())
        Purge.objects.filter(pk=purge.pk).update(attempts=0)  # it made progress
    except leases.LeaseLost:
        raise
    except Exception:
        # One that cannot be planned must not hold up the others.
        log.exception("%s cannot be planned", purge)


def _give_up(purge: Purge, why: str) -> None:
    with transaction.atomic():
        row = purge_service.locked(purge)
        purge_service.withdraw(row)
        Purge.objects.filter(pk=row.pk).update(problem=why)


def _plan_deletions(purge: Purge, lease: LeaseHandle, ends: float) -> bool:
    planned = set(purge.removals.filter(kind=Removal.Kind.DELETE).values_list("image_id", flat=True))
    images = Image.objects.select_related("namespace__account").filter(
        pk__in=[int(key) for key in purge.cutoffs]
    )
    for image in images.exclude(pk__in=planned).order_by("name"):
        if time.monotonic() > ends:
            return False
        deletions, kept = _planned_deletions(
            image, *purge.cutoffs[str(image.pk)], alive=leases.rate_limited(lease.keep_alive)
        )
        _create_removal(
            purge, lease, image, Removal.Kind.DELETE, [service.item_of(each) for each in deletions], kept=kept
        )
    return True


def _planned_deletions(
    image: Image, newest_history_id: int, last_revision: int, *, alive: Callable[[], None]
) -> tuple[list[PlannedDeletion], int]:
    """Return what to delete, in order; and how many manifests stay, because they, or what needs them, are newer."""
    tags = dict(Tag.objects.filter(image=image).values_list("name", "manifest_id"))
    later = TagHistoryEntry.objects.filter(image=image, pk__gt=newest_history_id).values_list("tag", "new")
    newer = {digest for tag, digest in later if tags.get(tag) == digest}
    held = RepositoryManifest.objects.filter(image=image, gone_at=None).values_list("manifest_id", flat=True)
    newer |= set(held.filter(pk__gt=last_revision))
    chosen = {*held, *tags.values()} - newer
    deletions = (
        deletable_without_harm(graph.load_graph(image, chosen, alive=alive), chosen, alive=alive)
        if chosen
        else ()
    )
    # While an unreadable manifest is there, nothing else is deleted: so it goes first.
    unreadable_digests = {each.digest for each in unreadable.find(image)}
    ordered = sorted(deletions, key=lambda each: each.digest not in unreadable_digests)
    return ordered, len(chosen) - len(deletions)


def _plan_restores(purge: Purge, lease: LeaseHandle, ends: float) -> bool:
    restores = Removal.objects.filter(purge=purge, requested_at__gte=purge.restoring_since)
    deletions = purge.removals.filter(kind=Removal.Kind.DELETE).select_related("image__namespace__account")
    for removal in deletions.exclude(pk__in=restores.exclude(undoes=None).values("undoes")).order_by("id"):
        if time.monotonic() > ends:
            return False
        _create_removal(
            purge,
            lease,
            removal.image,
            Removal.Kind.RESTORE,
            restore.items_to_restore(removal),
            undoes=removal,
        )
    return True


def _create_removal(
    purge: Purge, lease: LeaseHandle, image: Image, kind: Removal.Kind, items: list[RemovalItem], *, kept: int = 0,
    undoes: Removal | None = None,
) -> None:  # fmt: skip
    with transaction.atomic():
        lease.keep_alive()
        row = purge_service.locked(purge)
        if row.state != purge.state or row.planned_at:
            return  # stopped meanwhile
        removal = service.create(requester(purge), image, kind, items, purge=purge, undoes=undoes)
        if not items:
            Removal.objects.filter(pk=removal.pk).update(
                state=Removal.State.DONE, due_at=None, finished_at=timezone.now()
            )
        Purge.objects.filter(pk=purge.pk).update(kept=F("kept") + kept)


def _finish(purge: Purge) -> None:
    restoring = purge.state == State.RESTORING
    items = RemovalItem.objects.filter(removal__purge=purge, removal__kind=Removal.Kind.DELETE)
    if restoring:
        restores = Removal.objects.filter(
            purge=purge, kind=Removal.Kind.RESTORE, requested_at__gte=purge.restoring_since
        )
        items = RemovalItem.objects.filter(removal__in=restores)
    outcomes = Counter(items.exclude(state=RemovalItem.State.DONE).values_list("outcome", flat=True))
    done = _count_done(items)
    stopped = bool(purge.problem)
    purge.problem = joined([purge.problem, *_problem_sentences(outcomes, purge.kept, restoring=restoring)])
    purge.finished_at = timezone.now()
    if outcomes or stopped or (purge.kept and not restoring):
        purge.state = State.PARTIAL if done or restoring else State.FAILED
    elif restoring:
        purge.state = State.RESTORED
    elif not purge.of_namespace:
        purge.state = State.DONE
    elif purge_scope.scope_of(purge_scope.images_of(purge.namespace, None)).images:
        purge.state, purge.problem = State.PARTIAL, _pushed_meanwhile()
    else:
        purge.state, purge.ends_at = State.EMPTIED, purge.finished_at + GRACE_PERIOD
    purge.save()
    if done:
        actions = purge_service.RESTORED if restoring else purge_service.DELETED
        purge_service.record(purge, requester(purge), actions, done)


def _count_done(items: QuerySet[RemovalItem]) -> dict[int, dict[str, int]]:
    """Return {image's key: {"manifests": how many were done}}."""
    done = items.filter(state=RemovalItem.State.DONE).order_by().values_list("removal__image")
    return {image: {"manifests": number} for image, number in done.annotate(n=Count("pk"))}


def _problem_sentences(outcomes: Counter[str], kept: int, *, restoring: bool) -> list[str]:
    found = []
    if number := sum(outcomes.values()):
        found.append(_not_done(number, in_short(outcomes), restoring=restoring))
    if kept and not restoring:
        found.append(
            ngettext(
                "%(n)s was left: something that was pushed meanwhile is it, or needs it.",
                "%(n)s were left: something that was pushed meanwhile is one of them, or needs one.",
                kept,
            )
        )
    return found


def _not_done(number: int, why: str, *, restoring: bool) -> str:
    if restoring:
        return ngettext(
            "%(n)s could not be restored: %(why)s.", "%(n)s could not be restored: %(why)s.", number, why=why
        )
    return ngettext(
        "%(n)s could not be deleted: %(why)s.", "%(n)s could not be deleted: %(why)s.", number, why=why
    )


def _delete_namespace(purge: Purge) -> None:
    """Delete the emptied namespace, if nothing was pushed meanwhile and the requester still may."""
    with transaction.atomic():
        try:
            row = purge_service.locked(purge)
        except NotFound:
            return
        if row.state != State.EMPTIED:
            return
        if problem := _delete_or_reason(row):
            Purge.objects.filter(pk=row.pk).update(state=State.PARTIAL, ends_at=None, problem=problem)


def _delete_or_reason(purge: Purge) -> str:
    """Delete the namespace, and with it the purge, and return ""; else return why it stays."""
    if not _requester_may_delete(purge):
        return _("Whoever requested it may no longer delete namespaces, so the empty namespace stays.")
    try:
        with transaction.atomic():
            namespaces.delete(
                by=requester(purge), namespace=purge.namespace, confirmation=purge.namespace.name
            )
    except Conflict:
        return _pushed_meanwhile()
    return ""


def _pushed_meanwhile() -> str:
    return _("Something was pushed into the namespace meanwhile, so it stays.")


def _requester_may_delete(purge: Purge) -> bool:
    members = Member.objects.filter(account=purge.namespace.account, person_id=purge.requested_by_id or 0)
    role = members.filter(account__closed_at=None).values_list("role", flat=True).first()
    return role is not None and has_permission(Role(role), Permission.NAMESPACES_MANAGE)


def requester(purge: Purge) -> Principal:
    return Principal(
        kind=Kind.PERSON, id=purge.requested_by_id, label=purge.requested_by, address=purge.address
    )
