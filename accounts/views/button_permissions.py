"""Who may press which button, in words, for templates."""

from accounts import permissions
from accounts.common.translation import translate
from accounts.models import Account
from accounts.principal import Principal
from accounts.roles import Permission, denial_text, has_permission


def denial_reason(by: Principal, account: Account, permission: Permission) -> str:
    """Return the sentence that refuses `permission`; "" when the role allows it."""
    role = permissions.role(by, account)
    return "" if has_permission(role, permission) else translate(denial_text(permission))
