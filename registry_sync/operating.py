"""What an operator does: agree that much goes, try events again, give away what is unclaimed."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.errors import Conflict, Invalid
from accounts.models import Account
from accounts.principal import Principal
from accounts.speech import spoken
from namespaces.models import Image, Namespace, ReservedName
from namespaces.names import is_repository, namespace_problem, split
from namespaces.services import namespaces
from registry_sync import selectors, services
from registry_sync.models import Event, Repository, SyncRun
from registry_sync.notifications import apply

LET_GO = "let them go"  # what is typed to agree
BATCH = 500


def let_them_go(*, by: Principal, run: SyncRun, typed: str) -> SyncRun:
    """A run that may take away what `run` was held for. Raises Invalid on `typed`."""
    if typed.strip() != LET_GO:
        raise Invalid.on("typed", _("Type “%(words)s” to confirm.") % {"words": LET_GO})
    with transaction.atomic():
        agreed = SyncRun.objects.filter(state=SyncRun.State.WAITING, may_vanish=True).first()
        if not agreed:
            agreed = SyncRun.objects.create(may_vanish=True, asked_by=by.label)
            audit.record(by=by, action="sync.let_go", kind="sync run", id=run.pk, label=run.problem)
        transaction.on_commit(services.wake_worker)
    return agreed


@transaction.atomic
def retry_event(*, by: Principal, event: Event) -> None:
    apply.retry(event)
    audit.record(by=by, action="event.retried", kind="event", id=event.pk, label=str(event))
    transaction.on_commit(services.wake_events)


@transaction.atomic
def retry_failed_events(*, by: Principal) -> int:
    """How many will be tried again."""
    count = selectors.events("failed").order_by().update(due_at=timezone.now(), attempts=0)
    if count:
        audit.record(by=by, action="event.retried", kind="event", label=f"{count} events")
        transaction.on_commit(services.wake_events)
    return count


@transaction.atomic
def give(*, by: Principal, first: str, handle: str) -> Namespace:
    """Makes `first` a namespace of that account, with all repositories under it. Raises Invalid or Conflict."""
    handle = handle.strip()
    # Locked first: who creates a namespace of the same name takes the two locks in this order.
    account = Account.objects.select_for_update(no_key=True).filter(handle=handle, closed_at=None).first()
    if not account:
        raise Invalid.on("account", _("No open account has this handle."))
    if problem := why_not(first, list(selectors.unclaimed(first))):
        raise Invalid.on("", problem)
    _release(first, account)
    namespace = namespaces.create(by=by, account=account, name=first)
    count = _claim(namespace)
    audit.record(by=by, action="namespace.adopted", kind="namespace", id=namespace.pk, label=first,
                 account=account, after={"repositories": count})  # fmt: skip
    services.ask_for_sync(by=by)
    return namespace


def why_not(first: str, repositories: list[Repository]) -> str:
    """Why what is under `first` can be given to nobody; "" when it can."""
    if not any(is_repository(row.name) for row in repositories):
        return _(
            "Nothing here has a name of the form NAMESPACE/IMAGE; copy it to such a name to have it served."
        )
    return spoken(namespace_problem(first) or "")


def _release(first: str, account: Account) -> None:
    """Takes away what was reserved for the operator's decision; what protects somebody else stays."""
    reserved = ReservedName.objects.select_for_update().filter(name=first).first()
    if not reserved:
        return
    theirs = reserved.only_account_id or 0  # 0: nobody's
    owner = Account.objects.filter(pk=theirs, closed_at=None).exclude(pk=account.pk).first()
    if owner:
        sentence = _("These images were of the account %(handle)s; only it can have the name again.")
        raise Conflict.on("account", sentence % {"handle": owner.handle})
    if reserved.until is None:
        reserved.delete()
    elif reserved.only_account_id not in (None, account.pk):
        reserved.only_account_id = None  # that account is closed for good
        reserved.save(update_fields=["only_account_id"])


def _claim(namespace: Namespace) -> int:
    rows = [row for row in selectors.unclaimed(namespace.name) if is_repository(row.name)]
    images = [Image(namespace=namespace, name=split(row.name)[1]) for row in rows]
    for row, image in zip(rows, Image.objects.bulk_create(images, BATCH), strict=True):
        row.image = image
    Repository.objects.bulk_update(rows, ["image"], BATCH)
    return len(rows)
