"""One user: its facts, what it may do, and everything that can be done to it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import permissions
from accounts.access_denials import KEPT, KEPT_FOR
from accounts.common.errors import Invalid
from accounts.common.expiring import expires_soon
from accounts.common.pagination import paginate
from accounts.forms import ConfirmForm, UserEditForm
from accounts.models import RegistryUser
from accounts.roles import Permission
from accounts.selectors import denials_dropped, denials_of, refused_id_tokens_of, swapped_passwords_of
from accounts.services import passwords, users
from accounts.views import button_permissions, credentials_page, form_nonce
from accounts.views.client_tabs import client_tabs
from accounts.views.confirmation import ask, asks, last_use_of
from accounts.views.credentials_page import live_note
from accounts.views.form_errors import put_errors
from accounts.views.passwords import password_lines
from accounts.views.request import PersonRequest, principal, tab
from accounts.views.trust_policies import policy_lines
from accounts.views.user_status import user_badge
from namespaces.denial_recheck import with_current_decision
from namespaces.example_image import example_of
from namespaces.forms import UserGrantForm
from namespaces.ledger import breakage
from namespaces.listing import grant_list
from namespaces.recent_use import recent_uses
from namespaces.services import grants
from namespaces.views import user_confirmations
from namespaces.views.breakage import is_to_be_asked
from namespaces.views.denial_fixes import add_fixes
from namespaces.views.grant_sorting import chosen_sort, sort_context

DENIALS_SHOWN = 10


@login_required
@require_safe
@tab("users")
def user(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    return _page(request, permissions.user(principal(request), handle, username))


@login_required
@require_POST
@tab("users")
def edit(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    found = _changeable(request, handle, username)
    form = UserEditForm(request.POST, user=found)
    if form.is_valid():
        broken = breakage.of_ended_user(found, form.cleaned_data["expires_at"])
        if is_to_be_asked(request, broken):
            given = {name: str(value) for name, value in request.POST.items() if name in form.fields}
            back = found.get_absolute_url()
            return ask(
                request, user_confirmations.end_user(broken, act=request.path, back=back, fields=given)
            )
        try:
            users.edit(
                by=principal(request),
                user=found,
                description=form.cleaned_data["description"],
                expires_at=form.cleaned_data["expires_at"],
            )
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            messages.success(request, _("Saved."))
            return redirect(found)
    # Loaded again: what could not be saved must not stand in the heading.
    return _page(request, _changeable(request, handle, username), form=form)


@login_required
@asks
@tab("users")
def disable(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    found = _changeable(request, handle, username)
    if request.method != "POST":
        return ask(request, user_confirmations.disable(found))
    users.disable(by=principal(request), user=found)
    messages.success(request, _("Disabled. It gets no new tokens; those it has expire within minutes."))
    return redirect(found)


@login_required
@require_POST
def enable(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    found = users.enable(by=principal(request), user=_changeable(request, handle, username))
    messages.success(request, _("Enabled. Its password works again."))
    return redirect(found)


@login_required
@asks
@tab("users")
def replace_password(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    found = _changeable(request, handle, username)
    if request.method != "POST":
        return ask(request, user_confirmations.replace_password(found))
    try:
        if not form_nonce.spend(request):
            messages.info(request, _("This form was already submitted; the password was replaced only once."))
            return redirect(found)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect(request.path)
    password = passwords.replace(by=principal(request), user=found)
    return credentials_page.show(request, found, password, instead="replaced")


@login_required
@require_POST
@tab("users")
def delete(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    found = _changeable(request, handle, username)
    form = ConfirmForm(request.POST, expected=found.username)
    if not form.is_valid():
        return _page(request, found, problem=form.problem)
    if is_to_be_asked(request, broken := breakage.of_blocked_user(found)):
        return ask(request, user_confirmations.delete(found, broken))
    users.delete(by=principal(request), user=found)
    messages.success(request, _("Deleted %(user)s.") % {"user": f"{found.description} ({username})"})
    return redirect("users", handle)


@login_required
@require_POST
@tab("users")
def grant(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    by = principal(request)
    found = permissions.user(by, handle, username, Permission.GRANTS_MANAGE)
    form = UserGrantForm(request.POST, account=found.account)
    if form.is_valid():
        try:
            grants.give(by=by, user=found, **form.values)
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            messages.success(request, _("Permission added."))
            return redirect(found)
    return _page(request, found, grant_form=form)


def _changeable(request: PersonRequest, handle: str, username: str) -> RegistryUser:
    return permissions.user(principal(request), handle, username, Permission.USERS_MANAGE)


def _page(
    request: PersonRequest,
    found: RegistryUser,
    *,
    form: UserEditForm | None = None,
    grant_form: UserGrantForm | None = None,
    problem: str = "",
) -> HttpResponse:
    now, account, policies = timezone.now(), found.account, policy_lines(found)
    lines = password_lines(found, now, policies=[each.policy for each in policies])
    sort = chosen_sort(request.GET, grant_list.OF_USER, grant_list.USUAL_OF_GRANTS)
    sorted_by = {"sort": "" if sort == grant_list.USUAL_OF_GRANTS else sort}
    cursor = request.GET.get("page", "")  # of the denials, which are paged
    refused = paginate(denials_of(found), cursor=cursor, size=DENIALS_SHOWN, query=sorted_by)
    with_current_decision(refused.rows)
    add_fixes(account, refused.rows, here=found.get_absolute_url())
    context = {
        **sort_context(sort, grant_list.OF_USER, grant_list.USUAL_OF_GRANTS, {"page": cursor}),
        "kept": [("page", cursor)],
        "account": account,
        "user": found,
        "state": user_badge(found, now, password_ends_soon=found.password_ends_soon),
        "expires_soon": expires_soon(found.expires_at, now),
        "page": refused,
        "denials_kept": KEPT_FOR.days,
        "dropped": denials_dropped(found),
        "kept_most": KEPT,
        "form": form or UserEditForm(user=found),
        "problem": problem,
        "last_use": last_use_of(found),
        "passwords": lines,
        "policies": policies,
        # Both end with the policies.
        "swapped": swapped_passwords_of(found) if policies else [],
        "refused_count": refused_id_tokens_of(found).count() if policies else 0,
        "why_not": button_permissions.denial_reason(account, Permission.USERS_MANAGE),
        "grants": grant_list.grants_of_user(found, sort),
        # A form with errors stands at an address that takes only POST.
        "here": request.get_full_path() if request.method == "GET" else found.get_absolute_url(),
        "grant_form": grant_form or UserGrantForm(account=account),
        "why_no_grants": button_permissions.denial_reason(account, Permission.GRANTS_MANAGE),
    }
    context["live"] = live_note(request, found)
    if found.last_used_at:
        context["recent_uses"] = recent_uses(found)
    elif found.state_at(now) == "active":
        context["tabs"] = client_tabs(found, example_of(found), has_password=bool(lines.live))
    wrong = form or grant_form or problem
    return render(request, "namespaces/user.html", context, status=400 if wrong else 200)
