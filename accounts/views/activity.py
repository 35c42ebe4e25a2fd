"""The audit trail of an account, one line for each change, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import permissions, selectors
from accounts.common import time_zones
from accounts.common.pagination import paginate
from accounts.expiry import whole_day
from accounts.forms import ActivityFilter
from accounts.models import AuditEvent
from accounts.templatetags.formatting import word
from accounts.views.form_errors import status_of
from accounts.views.request import PersonRequest, principal, tab

# What follows the name of who did it; what it was done to follows.
DEEDS: dict[str, Promise] = {
    "account.opened": _("opened the account"),
    "account.renamed": _("renamed the account to"),
    "account.closed": _("closed the account"),
    "api_token.created": _("created the API token"),
    "api_token.revoked": _("revoked the API token"),
    "event.retried": _("tried again"),
    "aside.retried": _("tried again"),
    "grant.changed": _("changed the permission of"),
    "grant.given": _("gave a permission to"),
    "grant.removed": _("took the permission of"),
    "image.deleted": _("deleted, with all in it, the image"),
    "image.deletion_asked": _("asked to delete, with all in it, the image"),
    "image.deletion_stopped": _("stopped the deletion of the image"),
    "image.put_back": _("put back, with all in it, the image"),
    "image.put_back_asked": _("asked to put back, with all in it, the image"),
    "manifest.deleted": _("deleted the image"),
    "member.invited": _("made an invitation link for a"),
    "member.invitation_withdrawn": _("withdrew the invitation link for a"),
    "member.invitations_voided": _("made void, with the right to invite, the links of"),
    "member.joined": _("joined as a member:"),
    "member.removed": _("removed the member"),
    "member.role_changed": _("changed the role of"),
    "member.signed_up": _("signed up by the invitation link for a"),
    "namespace.adopted": _("gave the unclaimed repositories to the namespace"),
    "namespace.cleared": _("freed for all the name of the namespace"),
    "namespace.created": _("created the namespace"),
    "namespace.deleted": _("deleted the namespace"),
    "namespace.deletion_asked": _("asked to delete, with all in it, the namespace"),
    "namespace.deletion_stopped": _("stopped the deletion of the namespace"),
    "namespace.emptied": _("deleted all in the namespace"),
    "namespace.given_away": _("gave to another account the name of the namespace"),
    "namespace.published": _("made public the namespace"),
    "namespace.put_back": _("put back all in the namespace"),
    "namespace.put_back_asked": _("asked to put back all in the namespace"),
    "namespace.unpublished": _("made private the namespace"),
    "person.operator_link_made": _("made a link for the first operator"),
    "person.made_operator": _("made an operator of"),
    "removal.unconfirmed": _("asked the registry, which did not confirm it, to change"),
    "retention.changed": _("changed the retention rule for"),
    "retention.created": _("made a retention rule for"),
    "retention.deleted": _("deleted the retention rule for"),
    "retention.ran": _("removed tags by the retention rule for"),
    "retention.started": _("ran the retention rule for"),
    "retention.switched_off": _("switched off the retention rule for"),
    "retention.switched_on": _("switched on the retention rule for"),
    "tag.removed": _("removed the tag"),
    "tag.restored": _("put back the tag"),
    "sync.let_go": _("let go"),
    "sync.rolled_back": _("found rolled back"),
    "user.created": _("created the user"),
    "user.deleted": _("deleted the user"),
    "user.disabled": _("disabled the user"),
    "user.edited": _("edited the user"),
    "user.enabled": _("enabled the user"),
    "user.password_replaced": _("replaced the password of"),
}

FIELDS: dict[str, Promise] = {
    "account": _("account"),
    "begun": _("the registry was asked"),
    "description": _("description"),
    "digest": _("digest"),
    "expires_at": _("expires"),
    "invitations": _("invitations"),
    "keep_checked": _("a check counts as a pull"),
    "keep_days": _("keeps what was pushed within days"),
    "keep_last": _("keeps the newest"),
    "keep_pattern": _("keeps what is named"),
    "keep_pulled_days": _("keeps what was pulled within days"),
    "level": _("level"),
    "name": _("name"),
    "outcome": _("outcome"),
    "protect_pattern": _("protects"),
    "public": _("public"),
    "repositories": _("repositories"),
    "role": _("role"),
    "tags": _("tags"),
    "users": _("users"),
}


@dataclass(frozen=True)
class Line:
    event: AuditEvent
    deed: str
    changes: list[tuple[str, str | None, str | None]]  # (field, before, after); None where there was none


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
        "account": account, "form": form, "page": page, "lines": [_line(event) for event in page.rows],
        "filtered": filtered, "zone": str(zone), "query": query.get("q", ""),
    }  # fmt: skip
    return render(request, "accounts/activity.html", context, status=status_of(form))


def _line(event: AuditEvent) -> Line:
    changes = [
        (str(FIELDS.get(name, name.replace("_", " "))), _words(event.before, name), _words(event.after, name))
        for name in sorted({*event.before, *event.after})
    ]
    return Line(event, str(DEEDS.get(event.action, event.action)), changes)


def _words(facts: dict[str, Any], name: str) -> str | None:
    value = facts.get(name)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name in ("role", "level"):
        return None if value is None else word(value)
    if isinstance(value, str) and name.endswith("_at"):
        moment = datetime.fromisoformat(value)
        day = whole_day(moment) if name == "expires_at" else ""
        return day or time_zones.exact(moment, timezone.get_current_timezone())
    return None if value is None else str(value)
