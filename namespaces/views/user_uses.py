"""What a user did with which images, from where and with which password; and the smallest permissions for that."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import permissions
from accounts.common.errors import Conflict
from accounts.common.pagination import paginate
from accounts.models import RegistryUser, Secret, TrustPolicy
from accounts.roles import Permission
from accounts.selectors import passwords_of, trust_policies_of
from accounts.views.button_permissions import denial_reason
from accounts.views.request import PersonRequest, principal, tab
from namespaces.ledger import shrinking
from namespaces.ledger.uses import entries_dropped, uses_of, with_passwords
from namespaces.services.shrinking import shrink as shrink_grants


@login_required
@require_safe
@tab("users")
def uses(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    user = permissions.user(principal(request), handle, username)
    passwords, policies = list(passwords_of(user)), list(trust_policies_of(user))
    chosen, key = _chosen([*passwords, *policies], request.GET.get("password", ""))
    query = {
        "q": request.GET.get("q", "").strip()[:200],
        "password": str(key) if chosen else "",
    }
    found = uses_of(user, secret=key if chosen else None, search=query["q"])
    page = paginate(found, cursor=request.GET.get("page", ""), query=query)
    context: dict[str, Any] = {
        "account": user.account,
        "user": user,
        "page": page,
        "lines": with_passwords(page.rows, passwords, policies),
        "query": query,
        "passwords": passwords,
        "policies": policies,
        "chosen": chosen,
        "dropped": entries_dropped(user),
        "days": settings.ACCESS_LEDGER_DAYS,
        "user_most": settings.LEDGER_USER_MOST,
        "account_most": settings.LEDGER_ACCOUNT_MOST,
        "why_not": denial_reason(user.account, Permission.GRANTS_MANAGE),
        "here": reverse("user-uses", args=[handle, username]),
    }
    if not query["q"] and not chosen and not page.previous_url:
        proposal = shrinking.propose(user)
        context["proposal"] = proposal
        if proposal.steps:
            context["breakage"] = shrinking.broken_by(proposal)
    return render(request, "namespaces/user_uses.html", context)


@login_required
@require_POST
def shrink(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    user: RegistryUser = permissions.user(principal(request), handle, username, Permission.GRANTS_MANAGE)
    try:
        number = shrink_grants(by=principal(request), user=user, digest=request.POST.get("digest", ""))
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("user-uses", handle, username)
    text = ngettext("%(n)s permission changed.", "%(n)s permissions changed.", number)
    messages.success(request, text % {"n": number})
    return redirect(user)


def _chosen(credentials: list[Secret | TrustPolicy], text: str) -> tuple[Secret | TrustPolicy | None, int]:
    """Return what the ledger can be narrowed to, and how it calls it."""
    keys = {each: -each.pk if isinstance(each, TrustPolicy) else each.pk for each in credentials}
    return next(((each, key) for each, key in keys.items() if str(key) == text), (None, 0))
