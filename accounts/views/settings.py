"""The settings of an account: its name, and the page that also shows its members and leads to closing it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import permissions, selectors
from accounts.common.errors import Invalid
from accounts.forms import AccountForm, PasswordRulesForm, RoleForm
from accounts.models import Account, Invitation, InvitationState
from accounts.models.invitation import LIVE
from accounts.roles import Permission, Role, has_permission
from accounts.services import accounts, second_factors
from accounts.services import password_rules as rules
from accounts.views import button_permissions, form_nonce
from accounts.views.confirmation import last_use_of
from accounts.views.form_errors import put_errors
from accounts.views.request import PersonRequest, principal, tab
from accounts.views.second_factor_required import shut_out
from accounts.views.settings_tabs import settings_tabs
from accounts.views.user_status import INVITATION_BADGES, StatusBadge

INVITATIONS_SHOWN = 100


@login_required
@require_safe
@tab("settings")
def settings(request: PersonRequest, handle: str) -> HttpResponse:
    return show_settings(request, permissions.account(principal(request), handle))


@login_required
@require_POST
@tab("settings")
def rename(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = permissions.account(by, handle, Permission.ACCOUNT_RENAME)
    form = AccountForm(request.POST)
    if form.is_valid():
        try:
            accounts.rename(by=by, account=account, name=form.cleaned_data["name"])
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("account-settings", handle)
    return show_settings(request, account, form=form)


@login_required
@require_POST
@tab("settings")
def password_rules(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = permissions.account(by, handle, Permission.CREDENTIAL_RULES_CHANGE)
    form = PasswordRulesForm(request.POST)
    if form.is_valid():
        try:
            rules.change(by=by, account=account, **form.cleaned_data)
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("account-settings", handle)
    return show_settings(request, account, rules_form=form)


def show_settings(
    request: PersonRequest,
    account: Account,
    *,
    form: AccountForm | None = None,
    rules_form: PasswordRulesForm | None = None,
    problem: str = "",
    invitation_problem: str = "",
) -> HttpResponse:
    """With what was wrong with one of its forms, if something was."""
    members = list(selectors.members_of(account))
    form_of_name = form or AccountForm(initial={"name": account.name})
    form_of_name.fields["name"].help_text = format_html(
        _("URLs keep <code>{handle}</code> when the name changes."), handle=account.handle
    )
    context = {
        "account": account,
        "subtabs": settings_tabs(account, "account-settings"),
        "form": form_of_name,
        "rules_form": rules_form or PasswordRulesForm(initial=_rules(account)),
        "problem": problem,
        "invitation_problem": invitation_problem,
        "members": members,
        "roles": RoleForm.base_fields["role"].choices,  # type: ignore[attr-defined]
        "last_owner": _last_owner([each.person_id for each in members if each.role == Role.OWNER]),
        "invitations": _invitations(account),
        "invitation_form": RoleForm(auto_id="invite_%s"),
        "once": form_nonce.mark(),
        "last_use": _last_use(account),
        "shut_out": _shut_out(account),
        "why_not": {
            "rules": button_permissions.denial_reason(account, Permission.CREDENTIAL_RULES_CHANGE),
            "rename": button_permissions.denial_reason(account, Permission.ACCOUNT_RENAME),
            "second_factor": button_permissions.denial_reason(account, Permission.SECOND_FACTOR_REQUIRE),
            "members": button_permissions.denial_reason(account, Permission.MEMBERS_MANAGE),
            "close": button_permissions.denial_reason(account, Permission.ACCOUNT_CLOSE),
        },
    }
    wrong = form or rules_form or problem or invitation_problem
    return render(request, "accounts/settings.html", context, status=400 if wrong else 200)


def _rules(account: Account) -> dict[str, int | bool | None]:
    return {"longest_life_days": account.longest_life_days, "self_rotation": account.self_rotation}


def _shut_out(account: Account) -> str:
    """Return who does not get in yet, for owners of an account that requires a second factor; else ""."""
    if not account.second_factor_required or not has_permission(
        account.role, Permission.SECOND_FACTOR_REQUIRE
    ):
        return ""
    return shut_out(second_factors.members_without(account))


def _last_use(account: Account) -> str:
    user = selectors.last_used_of(account)
    return last_use_of(user) if user else ""


def _invitations(account: Account) -> list[tuple[Invitation, StatusBadge, bool]]:
    """Return the newest, each with its state and whether it can be withdrawn."""
    found = selectors.invitations_of(account)[:INVITATIONS_SHOWN]
    return [(each, INVITATION_BADGES[InvitationState(each.state)], each.state in LIVE) for each in found]


def _last_owner(owners: list[int]) -> int:
    """Return the person who cannot leave or step down; 0 when there are several owners."""
    return owners[0] if len(owners) == 1 else 0
