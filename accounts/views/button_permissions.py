"""Who may press which button, in words, for templates."""

from accounts.common.translation import translate
from accounts.models import Account
from accounts.roles import Permission, denial_text, has_permission


def denial_reason(account: Account, permission: Permission) -> str:
    """Return why the person may not do it; "" when their role allows it. `account`: as permissions gave it."""
    return "" if has_permission(account.role, permission) else translate(denial_text(permission))
