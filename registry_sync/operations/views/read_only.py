"""Pages that only show: the differences that no event reported, and the settings."""

from django.conf import settings as ours
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.common.pagination import paginate
from accounts.limits import OF_PERSON
from accounts.views.request import PersonRequest
from registry_sync import selectors
from registry_sync.limits import OF_ACCOUNT
from registry_sync.operations.views.navigation import operators, system_context

LIMITS = sorted(each.setting for each in (*OF_PERSON, *OF_ACCOUNT))
_SHOWN = (
    "ENVIRONMENT",
    "PUBLIC_URL",
    "REGISTRY_URL",
    "REGISTRY_HOST",
    "REGISTRY_IS_PULL_THROUGH_CACHE",
    "TOKEN_SERVICE",
    "TOKEN_ISSUER",
    "TOKEN_TTL_SECONDS",
    "SYNC_INTERVAL_SECONDS",
    "SIGNUP",
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_NAME",
    "OIDC_SCOPES",
    "OIDC_GROUPS_CLAIM",
    "OIDC_GROUPS_DAYS",
    "OIDC_OPERATOR_GROUP",
    "OIDC_TRUST_EMAIL",
    "OIDC_ONLY",
    "OIDC_SESSION_HOURS",
    "ISSUER_NETWORKS",
    "WEBHOOK_NETWORKS",
    "BACKUP_DAYS",
    "TRUSTED_PROXY_COUNT",
    "TIME_ZONE",
    *LIMITS,
)


@operators
@require_safe
def differences(request: PersonRequest) -> HttpResponse:
    found = paginate(selectors.differences(), cursor=request.GET.get("page", ""))
    context = system_context("system-differences") | {
        "page": found,
        "rollback": selectors.rolled_back(timezone.now()),
    }
    return render(request, "registry_sync/system_differences.html", context)


@operators
@require_safe
def settings(request: PersonRequest) -> HttpResponse:
    shown = [(name, _written(getattr(ours, name))) for name in _SHOWN]
    context = system_context("system-settings") | {"settings": shown}
    return render(request, "registry_sync/system_settings.html", context)


def _written(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
