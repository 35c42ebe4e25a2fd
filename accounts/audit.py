"""The only writer of the audit log. Call it inside the transaction of the change that it records."""

from typing import Any

from django.db import transaction

from accounts.audit_actions import AuditAction
from accounts.models import Account, AuditEvent
from accounts.principal import Principal


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
    AuditEvent.objects.create(
        account_id=account.pk if account else None,
        actor_kind=by.kind.value,
        actor_id=by.id,
        actor=by.label[:254],
        address=by.address,
        action=action.value,
        object_kind=kind,
        object_id=str(id),
        object=label[:300],
        before=before or {},
        after=after or {},
    )
