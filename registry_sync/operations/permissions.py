"""The only road to the rows of the whole registry: they are the operator's, and to others not there."""

from accounts import permissions
from accounts.common.errors import NotFound
from accounts.principal import Principal
from namespaces.models import ReservedName
from registry_sync import selectors
from registry_sync.models import Event, QuarantinedWork, Repository, SyncRun


def quarantined_work(by: Principal, id: int) -> QuarantinedWork:  # noqa: A002
    permissions.operator(by)
    row = QuarantinedWork.objects.filter(pk=id).first()
    if not row:
        raise NotFound
    return row


def event(by: Principal, id: int) -> Event:  # noqa: A002
    permissions.operator(by)
    row = Event.objects.filter(pk=id).first()
    if not row:
        raise NotFound
    return row


def run_needing_approval(by: Principal, id: int) -> SyncRun:  # noqa: A002
    """Return the run that waits for an operator.

    One that has been overtaken has nothing left to be agreed to, but by others that are held for the same: one comes
    every few seconds.
    """
    permissions.operator(by)
    found = selectors.run_needing_approval()
    if not found or not selectors.is_same_approval(found, id):
        raise NotFound
    return found


def unassigned_name(by: Principal, first: str) -> tuple[ReservedName | None, list[Repository]]:
    """Return a name that has no namespace, and the repositories under it that no account owns; one may be missing."""
    permissions.operator(by)
    name, found = selectors.reserved_names().filter(name=first).first(), list(selectors.unassigned(first))
    if not name and not found:
        raise NotFound
    return name, found
