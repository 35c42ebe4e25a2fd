"""The tabs of an account's settings."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.roles import Permission, has_permission


def settings_tabs(account: Account, current: str) -> list[dict[str, Any]]:
    """Return none where there is one page alone. `account`: as permissions gave it."""
    if not has_permission(account.role, Permission.WEBHOOKS_MANAGE):
        return []
    pages = [("account-settings", _("Account")), ("webhooks", _("Webhooks"))]
    return [
        {"text": text, "url": reverse(name, args=[account.handle]), "current": name == current}
        for name, text in pages
    ]
