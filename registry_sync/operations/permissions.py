"""The only road to the rows of the whole registry: they are the operator's, and to others not there."""

from django.utils import timezone

from accounts import people_list, permissions
from accounts.common.errors import NotFound
from accounts.models import Account, GroupRole, Person
from accounts.principal import Principal
from namespaces.models import ReservedName
from registry_sync import selectors
from registry_sync.models import Event, QuarantinedWork, Repository, SyncRun
from registry_sync.operations import account_list


def person(by: Principal, id: int) -> Person:  # noqa: A002
    """With what `people_list.one` adds."""
    permissions.operator(by)
    found = people_list.one(person_id=id, now=timezone.now()) if id < 2**63 else None
    if not found:
        raise NotFound
    return found


def account(by: Principal, handle: str) -> Account:
    """Return an account of anybody, closed or not, with what `account_list.one` adds."""
    permissions.operator(by)
    found = account_list.one(handle)
    if not found:
        raise NotFound
    return found


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


def group_role(by: Principal, id: int) -> GroupRole:  # noqa: A002
    permissions.operator(by)
    row = GroupRole.objects.select_related("account").filter(pk=id).first()
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
