"""The only writer of the audit log. Call it inside the transaction of the change that it records."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts.audit_actions import AuditAction
from accounts.common.batches import BATCH
from accounts.models import Account, AuditEvent
from accounts.principal import Principal


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an event is about; `before` and `after` hold plain JSON and no secret."""

    kind: str
    id: int | str
    label: str
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def record(
    *,
    by: Principal,
    action: AuditAction,
    kind: str,
    id: int | str = "",  # noqa: A002 (the field's own name)
    label: str,
    account: Account | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an event: `before` and `after` hold plain JSON and no secret."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{action} must be recorded inside the transaction that does it")
    _event(by, action, account, Recorded(kind, id, label, before or {}, after or {})).save()


def record_all(*, by: Principal, action: AuditAction, account: Account, things: Iterable[Recorded]) -> None:
    """Write an event for each of many things, in few statements."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{action} must be recorded inside the transaction that does it")
    AuditEvent.objects.bulk_create([_event(by, action, account, each) for each in things], batch_size=BATCH)


def _event(by: Principal, action: AuditAction, account: Account | None, thing: Recorded) -> AuditEvent:
    return AuditEvent(
        account_id=account.pk if account else None,
        actor_kind=by.kind.value,
        actor_id=by.id,
        actor=by.label[:254],
        address=by.address,
        action=action.value,
        object_kind=thing.kind,
        object_id=str(thing.id),
        object=thing.label[:300],
        before=thing.before,
        after=thing.after,
    )
