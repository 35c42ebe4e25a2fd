"""The audit log of an account, one line for each change, in words."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import permissions, selectors
from accounts.audit_actions import AuditAction
from accounts.audit_line import AuditLine
from accounts.common import time_zones
from accounts.common.pagination import paginate
from accounts.expiry import whole_day
from accounts.forms import ActivityFilter
from accounts.models import AuditEvent
from accounts.templatetags.formatting import word
from accounts.views.form_errors import status_of
from accounts.views.request import PersonRequest, principal, tab

FIELDS: dict[str, Promise] = {
    "account": _("account"),
    "begun": _("the registry was asked"),
    "description": _("description"),
    "digest": _("digest"),
    "expires_at": _("expires"),
    "invitations": _("invitations"),
    "keep_checked": _("counts a check as a pull"),
    "keep_days": _("keeps what was pushed within (days)"),
    "keep_last": _("keeps the newest"),
    "keep_pattern": _("keeps tags named like"),
    "keep_pulled_days": _("keeps what was pulled within (days)"),
    "level": _("level"),
    "name": _("name"),
    "outcome": _("outcome"),
    "password": _("password"),
    "protect_pattern": _("protects"),
    "public": _("public"),
    "readme": _("README (characters)"),
    "repositories": _("repositories"),
    "retire_after_unused_days": _("ends after days without use"),
    "retires_at": _("ends"),
    "role": _("role"),
    "tags": _("tags"),
    "users": _("users"),
}


@login_required
@require_safe
@tab("activity")
def activity(request: PersonRequest, handle: str) -> HttpResponse:
    account = permissions.account(principal(request), handle)
    # The address names the zone of its days: who gets it sees the same rows.
    zone = time_zones.named(request.GET.get("zone", "")) or timezone.get_current_timezone()
    form = ActivityFilter(request.GET, zone=str(zone))
    form.is_valid()  # what is not valid says so beside its field, and narrows nothing
    asked = {name: value for name, value in form.cleaned_data.items() if value}
    found = selectors.activity_of(account, search=asked.pop("q", ""), zone=zone, **asked)
    query = {name: request.GET.get(name, "") for name in form.cleaned_data}
    filtered = any(query.values())
    if asked.keys() & {"since", "until"}:
        query["zone"] = str(zone)
    page = paginate(found, cursor=request.GET.get("page", ""), query=query)
    context = {
        "account": account, "form": form, "page": page, "lines": _lines(page.rows),
        "filtered": filtered, "zone": str(zone), "query": query.get("q", ""),
    }  # fmt: skip
    return render(request, "accounts/activity.html", context, status=status_of(form))


def _text_of(code: str) -> str:
    """Return the code itself for one that a later release wrote."""
    return str(AuditAction(code).label) if code in AuditAction else code


def _lines(events: Iterable[AuditEvent]) -> list[AuditLine]:
    # A page has few actions, fields and levels, and each is looked up once for its language.
    text_of, field_of, word_of = cache(_text_of), cache(_field_of), cache(word)

    def line(event: AuditEvent) -> AuditLine:
        before, after = event.before, event.after
        changes = [
            (field_of(name), _words(before, name, word_of), _words(after, name, word_of))
            for name in sorted({*before, *after})
        ]
        return AuditLine(event, text_of(event.action), changes)

    return [*map(line, events)]


def _field_of(name: str) -> str:
    return str(FIELDS.get(name, name.replace("_", " ")))


def _words(facts: dict[str, Any], name: str, word_of: Callable[[object], str]) -> str | None:
    value = facts.get(name)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name in ("role", "level"):
        return None if value is None else word_of(value)
    if isinstance(value, str) and name.endswith("_at"):
        moment = datetime.fromisoformat(value)
        day = whole_day(moment) if name == "expires_at" else ""
        return day or time_zones.exact(moment, timezone.get_current_timezone())
    return None if value is None else str(value)
