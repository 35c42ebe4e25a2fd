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
    failed = selectors.event_counts()["failed"]
    tabs = {
        "system": _("Overview"),
        "doctor": _("Doctor"),
        "system-events": _("Events"),
        "system-differences": _("Differences"),
        "system-repositories": _("Repositories"),
        "system-leaks": _("Leaked passwords"),
        "system-settings": _("Settings"),
    }
    words = ngettext("%(count)s failed", "%(count)s failed", failed) % {"count": failed}
    counts = {"system-events": words if failed else ""}
    return {
        "subtabs": [
            {"text": text, "url": reverse(name), "current": name == current, "count": counts.get(name, "")}
            for name, text in tabs.items()
        ],
        "subtabs_label": _("System"),
    }
