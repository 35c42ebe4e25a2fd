"""What an operator does: agree that much goes, try events again, give names away or clear them."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common import clock, time_zones
from accounts.common.amounts import amount
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.limits import make_room
from accounts.models import Account
from accounts.principal import Principal
from namespaces.limits import NAMESPACES
from namespaces.models import CatalogRead, Image, Namespace, ReservedName
from namespaces.names import is_repository, namespace_problem, split
from namespaces.services import namespaces
from registry_sync import jobs, selectors
from registry_sync.events import processor
from registry_sync.models import Event, QuarantinedWork, Repository, SyncRun

APPROVAL_PHRASE = "approve deletion"  # what is typed to confirm
BATCH = 500


def approve_deletions(*, by: Principal, run: SyncRun, confirmation: str) -> SyncRun:
    """Make a run that may delete what `run` was stopped for. Raise Invalid on `confirmation`."""
    if confirmation.strip() != APPROVAL_PHRASE:
        raise Invalid.on("confirmation", _("Type “%(words)s” to confirm.") % {"words": APPROVAL_PHRASE})
    with transaction.atomic():
        approved = SyncRun.objects.filter(state=SyncRun.State.WAITING, deletions_approved=True).first()
        if not approved:
            approved = SyncRun.objects.create(deletions_approved=True, requested_by=by.label)
            audit.record(
                by=by,
                action=AuditAction.SYNC_DELETIONS_APPROVED,
                kind="sync run",
                id=run.pk,
                label=run.problem,
            )
        transaction.on_commit(jobs.wake_worker)
    return approved


@transaction.atomic
def retry_event(*, by: Principal, event: Event) -> None:
    processor.retry(event)
    audit.record(by=by, action=AuditAction.EVENT_RETRIED, kind="event", id=event.pk, label=str(event))
    transaction.on_commit(jobs.wake_events)


@transaction.atomic
def retry_failed_events(*, by: Principal) -> int:
    """How many will be tried again."""
    count = selectors.events("failed").order_by().update(due_at=clock.now(), attempts=0)
    if count:
        audit.record(
            by=by, action=AuditAction.EVENT_RETRIED, kind="event", label=amount(count, "event", "events")
        )
        transaction.on_commit(jobs.wake_events)
    return count


@transaction.atomic
def retry_quarantined(*, by: Principal, row: QuarantinedWork) -> None:
    """Try again what workers crashed on, and what came for it meanwhile."""
    audit.record(
        by=by,
        action=AuditAction.QUARANTINE_RETRIED,
        kind="aside",
        id=row.pk,
        label=str(row),
        account=row.account,
    )
    processor.retry_quarantined(row)
    jobs.request_sync(by=by)
    transaction.on_commit(jobs.wake_events)


@transaction.atomic
def assign(*, by: Principal, first: str, handle: str) -> Namespace:
    """Make `first` a namespace of that account, with all repositories under it, whoever had the name before.

    Raise Invalid or Conflict.
    """
    handle = handle.strip()
    # Locked first: who creates a namespace of the same name takes the two locks in this order.
    account = Account.objects.select_for_update(no_key=True).filter(handle=handle, closed_at=None).first()
    if not account:
        raise Invalid.on("account", _("No open account has this handle."))
    if problem := assign_problem(first, list(selectors.unassigned(first))):
        raise Invalid.on("", problem)
    _hand_over(by, first, account)
    namespace = namespaces.create(by=by, account=account, name=first)
    count = _assign_repositories(namespace)
    audit.record(by=by, action=AuditAction.NAMESPACE_ADOPTED, kind="namespace", id=namespace.pk, label=first,
                 account=account, after={"repositories": count})  # fmt: skip
    jobs.request_sync(by=by)
    return namespace


def assign_problem(first: str, repositories: list[Repository]) -> str:
    """Why what is under `first` can be given to nobody; "" when it can."""
    if repositories and not any(is_repository(row.name) for row in repositories):
        return _(
            "Nothing here has a name of the form NAMESPACE/IMAGE; copy it to such a name to have it served."
        )
    return translate(namespace_problem(first) or "")


def _hand_over(by: Principal, first: str, account: Account) -> None:
    """Make the name `account`'s, whoever had it; what that one's tokens may still push must not come with it."""
    reserved = ReservedName.objects.select_for_update().filter(name=first).first()
    if not reserved or reserved.account_id == account.pk:
        return
    if problem := _tokens_live(reserved, timezone.now()):
        raise Conflict.on("", problem)
    make_room(NAMESPACES, account, field="account")  # else counted already when the namespace is made
    if reserved.account:
        _record_for_owner(by, AuditAction.NAMESPACE_ASSIGNED, reserved)
    reserved.account, reserved.until = account, None
    reserved.save(update_fields=["account", "until"])


@transaction.atomic
def release_name(*, by: Principal, name: str, confirmation: str) -> None:
    """Anybody may have the name from now on. Raise NotFound, Invalid or Conflict."""
    if confirmation.strip() != name:
        raise Invalid.on("confirmation", _("Type %(name)s to confirm.") % {"name": name})
    reserved = ReservedName.objects.select_for_update().filter(name=name).first()
    if not reserved or not selectors.reserved_names().filter(pk=reserved.pk).exists():
        raise NotFound
    if problem := release_problem(reserved, timezone.now()):
        raise Conflict.on("", problem)
    _record_for_owner(by, AuditAction.NAMESPACE_CLEARED, reserved)
    reserved.delete()


def release_problem(reserved: ReservedName, now: datetime) -> str:
    """Why the name cannot be cleared; "" when the registry is known to list nothing under it."""
    if problem := _tokens_live(reserved, now):
        return problem
    if count := selectors.unassigned(reserved.name).count():
        words = ngettext(
            "The registry holds %(count)s repository under this name: assign it to an account, or remove it there.",
            "The registry holds %(count)s repositories under this name: assign it to an account, or remove them there.",
            count,
        )
        return words % {"count": count}
    read = CatalogRead.objects.filter(registry=settings.REGISTRY_URL)
    if not (read.filter(started_at__gt=reserved.until) if reserved.until else read).exists():
        return _(
            "The registry’s catalog has not been read since the last token expired; try again after the "
            "next sync."
        )
    return ""


def _tokens_live(reserved: ReservedName, now: datetime) -> str:
    if not reserved.until or reserved.until <= now:
        return ""
    sentence = _("Tokens for the deleted namespace may be valid until %(moment)s; try again then.")
    return sentence % {"moment": time_zones.exact(reserved.until, timezone.get_current_timezone())}


def _record_for_owner(by: Principal, action: AuditAction, reserved: ReservedName) -> None:
    """In the audit log of whoever had the name; whose it is now is not their business."""
    account = reserved.account
    audit.record(by=by, action=action, kind="namespace", label=reserved.name, account=account,
                 before={"account": account.handle} if account else {})  # fmt: skip


def _assign_repositories(namespace: Namespace) -> int:
    rows = [row for row in selectors.unassigned(namespace.name) if is_repository(row.name)]
    images = [Image(namespace=namespace, name=split(row.name)[1]) for row in rows]
    for row, image in zip(rows, Image.objects.bulk_create(images, BATCH), strict=True):
        row.image = image
    Repository.objects.bulk_update(rows, ["image"], BATCH)
    return len(rows)
