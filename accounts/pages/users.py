"""The users of an account: the list, and creating one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import gate, selectors
from accounts.errors import Invalid
from accounts.forms import UserForm
from accounts.pages import once, rights, secret_page
from accounts.pages.forms import put_errors, status_of
from accounts.pages.http import PersonRequest, principal, tab
from accounts.pages.states import expires_soon, state_of
from accounts.paging import paginate
from accounts.roles import Act
from accounts.services import users as service


@login_required
@require_safe
@tab("users")
def users(request: PersonRequest, handle: str) -> HttpResponse:
    by, now, search = principal(request), timezone.now(), request.GET.get("q", "").strip()
    account = gate.account(by, handle)
    found = selectors.users_of(account, search=search)
    page = paginate(found, cursor=request.GET.get("page", ""), query={"q": search})
    rows = [(user, state_of(user, now), expires_soon(user.expires_at, now)) for user in page.rows]
    return render(request, "accounts/users.html", {
        "account": account, "page": page, "rows": rows, "query": search,
        "why_not": rights.why_not(by, account, Act.USERS_MANAGE),
    })  # fmt: skip


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@tab("users")
def create(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = gate.account(by, handle, Act.USERS_MANAGE)
    form = UserForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not once.spend(request):
            messages.info(request, _("This form was sent before; its user is in the list. Was the password not "
                                     "saved? Open the user and replace it."))  # fmt: skip
            return redirect("users", handle)
        try:
            user, password = service.create(
                by=by, account=account, description=form.cleaned_data["description"],
                expires_at=form.cleaned_data["expires_at"],
            )  # fmt: skip
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            return secret_page.show(request, user, password)
    context = {"account": account, "form": form, "once": once.mark()}
    return render(request, "accounts/user_new.html", context, status=status_of(form))
