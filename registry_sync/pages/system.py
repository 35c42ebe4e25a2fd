"""The operator's page: sync runs, repositories nobody owns, settings as read."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import gate
from accounts.pages.http import PersonRequest, principal, tab
from registry_sync import selectors, services

_SHOWN = ("ENVIRONMENT", "PUBLIC_URL", "REGISTRY_URL", "REGISTRY_HOST", "TOKEN_SERVICE", "TOKEN_ISSUER",
          "TOKEN_TTL", "SYNC_INTERVAL", "SIGNUP", "TRUSTED_PROXIES", "TIME_ZONE")  # fmt: skip


@tab("system")
@login_required
@require_http_methods(["GET", "POST"])
def system(request: PersonRequest) -> HttpResponse:
    by = principal(request)
    gate.operator(by)
    if request.method == "POST":
        services.ask_for_sync(by=by)
        return redirect("system")
    context = {
        "runs": selectors.runs()[:20],
        "unclaimed": selectors.unclaimed()[:200],
        "troubled": selectors.troubled()[:50],
        "settings": [(name, getattr(settings, name)) for name in _SHOWN],
    }
    return render(request, "registry_sync/system.html", context)
