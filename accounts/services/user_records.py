"""What every change of a user does: lock its row first, and record the change."""

from typing import Any

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import NotFound
from accounts.models import RegistryUser
from accounts.principal import Principal


def lock(user: RegistryUser) -> None:
    """Lock the row, and read what may change. Raise NotFound for one that somebody else deleted meanwhile."""
    locked = RegistryUser.objects.select_for_update()
    try:
        user.refresh_from_db(fields=["description", "expires_at", "disabled_at"], from_queryset=locked)
    except RegistryUser.DoesNotExist:
        raise NotFound from None


def record(
    by: Principal,
    action: AuditAction,
    user: RegistryUser,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    label = f"{user.description} ({user.username})"
    audit.record(by=by, action=action, kind="user", id=user.username, label=label, account=user.account,
                 before=before, after=after)  # fmt: skip
