"""What the operator's pages share: they are the operator's, and have tabs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import permissions
from accounts.common.counted import counted_together
from accounts.id_tokens import selectors as issuer_selectors
from accounts.views.request import PersonRequest, principal, tab
from registry_sync import selectors

Page = Callable[..., HttpResponse]


def operators(page: Page) -> Page:
    @tab("system")
    @login_required
    @wraps(page)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        permissions.operator(principal(request))
        return page(request, *args, **kwargs)

    return guarded


def system_context(current: str) -> dict[str, Any]:
    failed = counted_together(
        {
            "system-events": selectors.events_for("failed"),
            "system-issuers": issuer_selectors.failing_issuers(),
        }
    )
    tabs = {
        "system": _("Overview"),
        "doctor": _("Doctor"),
        "system-events": _("Events"),
        "system-differences": _("Differences"),
        "system-repositories": _("Repositories"),
        "system-groups": _("Groups"),
        "system-issuers": _("ID token issuers"),
        "system-accounts": _("Accounts"),
        "system-people": _("People"),
        "system-leaks": _("Leaked passwords"),
        "system-sign-in": _("Sign-in"),
        "system-settings": _("Settings"),
    }
    counts = {
        name: ngettext("%(count)s failed", "%(count)s failed", count) % {"count": count}
        for name, count in failed.items()
        if count
    }
    return {
        "subtabs": [
            {"text": text, "url": reverse(name), "current": name == current, "count": counts.get(name, "")}
            for name, text in tabs.items()
        ],
        "subtabs_label": _("System"),
    }
