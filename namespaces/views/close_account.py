"""Closing an account: here, because what that breaks is known here."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import permissions, reauthentication
from accounts.common.errors import Invalid
from accounts.forms import ConfirmForm
from accounts.roles import Permission
from accounts.services import accounts
from accounts.views.confirmation import ask
from accounts.views.form_errors import put_errors
from accounts.views.request import PersonRequest, principal, tab
from accounts.views.settings import show_settings
from namespaces.ledger import breakage
from namespaces.views import user_confirmations
from namespaces.views.breakage import is_to_be_asked


@login_required
@require_POST
@tab("settings")
def close(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = permissions.account(by, handle, Permission.ACCOUNT_CLOSE)
    form = ConfirmForm(request.POST)
    form.is_valid()
    typed = form.cleaned_data.get("confirm", "")
    if typed == account.handle:
        reauthentication.confirm(request)
    if typed == account.handle and is_to_be_asked(request, broken := breakage.of_closed(account)):
        return ask(request, user_confirmations.close_account(account, broken))
    try:
        accounts.close(by=by, account=account, confirmation=typed)
    except Invalid as error:
        put_errors(form, error, confirmation="confirm")
        return show_settings(request, account, problem=form.problem)
    messages.success(request, _("%(account)s is closed.") % {"account": account.name})
    return redirect("home")
