"""An account's own issuers of ID tokens, whose keys are pasted; and those of the installation, to look at."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import permissions, selectors
from accounts.common.errors import Conflict, Invalid
from accounts.id_tokens import keys
from accounts.issuer_forms import NewOwnIssuerForm, OwnIssuerForm
from accounts.models import IdTokenIssuer, TrustPolicy
from accounts.roles import Permission
from accounts.services import issuers as service
from accounts.views.button_permissions import denial_reason
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import next_url, put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab


@login_required
@require_safe
@tab("users")
def issuers(request: PersonRequest, handle: str) -> HttpResponse:
    """With `?next=`, as the page before a trust policy links here, a new issuer leads back there."""
    account = permissions.account(principal(request), handle)
    context = {
        "back": next_url(request, ""),
        "account": account,
        "own": selectors.issuers_of(account),
        "shared": selectors.usable_issuers(account).filter(account=None),
        "why_not": denial_reason(account, Permission.USERS_MANAGE),
    }
    return render(request, "accounts/id_token_issuers.html", context)


@login_required
@asks
@tab("users")
def create(request: PersonRequest, handle: str) -> HttpResponse:
    """Add one. `?preset=kubernetes&next=…` chooses the kind, and leads on to the policy that will name it."""
    by = principal(request)
    account = permissions.account(by, handle, Permission.USERS_MANAGE)
    here = reverse("id-token-issuers", args=[handle])
    kind = {"preset": request.GET.get("preset", "")[:20]}
    form = NewOwnIssuerForm(request.POST) if request.method == "POST" else NewOwnIssuerForm(initial=kind)
    if form.is_valid():
        try:
            row = service.add_own(by=by, account=account, **form.cleaned_data)
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Users of this account may trust this issuer now."))
            back = next_url(request, "")
            return redirect(f"{back}?{urlencode({'preset': row.preset or 'other'})}" if back else here)
    context = {"account": account, "form": form, "back": next_url(request, here)}
    return render(request, "accounts/id_token_issuer_form.html", context, status=status_of(form))


@login_required
@asks
@tab("users")
def edit(request: PersonRequest, handle: str, issuer_id: int) -> HttpResponse:
    by = principal(request)
    row = permissions.own_issuer(by, handle, issuer_id)
    form = OwnIssuerForm(request.POST) if request.method == "POST" else OwnIssuerForm.of(row)
    version = request.POST.get("version") or service.version_of(row)
    if form.is_valid():
        try:
            service.edit(by=by, issuer=row, version=version, **form.cleaned_data)
        except service.ChangedMeanwhile as error:
            version = error.version
            put_errors(form, error)
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("id-token-issuers", handle)
    context = {
        "account": row.account,
        "issuer": row,
        "keys": keys.key_set(row),
        "form": form,
        "version": version,
        "back": reverse("id-token-issuers", args=[handle]),
        "trusted": TrustPolicy.objects.filter(issuer=row).exists(),
    }
    return render(request, "accounts/id_token_issuer_form.html", context, status=status_of(form))


@login_required
@asks
@tab("users")
def disable(request: PersonRequest, handle: str, issuer_id: int) -> HttpResponse:
    by = principal(request)
    row = permissions.own_issuer(by, handle, issuer_id)
    if request.method != "POST":
        return ask(request, _disabling(row))
    service.disable(by=by, issuer=row)
    messages.success(request, _("Disabled. Its tokens are refused from now on."))
    return redirect("id-token-issuers", handle)


@login_required
@require_POST
def enable(request: PersonRequest, handle: str, issuer_id: int) -> HttpResponse:
    by = principal(request)
    service.enable(by=by, issuer=permissions.own_issuer(by, handle, issuer_id))
    messages.success(request, _("Its tokens are accepted again, where a user trusts them."))
    return redirect("id-token-issuers", handle)


@login_required
@asks
@tab("users")
def delete(request: PersonRequest, handle: str, issuer_id: int) -> HttpResponse:
    by = principal(request)
    row = permissions.own_issuer(by, handle, issuer_id)
    if request.method != "POST":
        return ask(request, _deleting(row))
    try:
        service.delete(by=by, issuer=row)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("id-token-issuer", handle, row.pk)
    messages.success(request, _("%(issuer)s is no longer in the list.") % {"issuer": row})
    return redirect("id-token-issuers", handle)


def _disabling(row: IdTokenIssuer) -> Question:
    users = row.trust_policies.filter(disabled_at=None).values("user").distinct().count()
    words = ngettext(
        "%(count)s user trusts it and can then sign in only with a password, if it has one.",
        "%(count)s users trust it and can then sign in only with a password, if they have one.",
        users,
    )
    return Question(
        title=_("Disable %(issuer)s?") % {"issuer": row},
        stops=[
            words % {"count": users} if users else _("No user trusts it."),
            _("Its ID tokens are refused at once, and so are passwords that jobs got for them."),
        ],
        button=_("Disable issuer"),
        back=_page_of(row),
    )


def _deleting(row: IdTokenIssuer) -> Question:
    return Question(
        title=_("Delete %(issuer)s?") % {"issuer": row},
        stops=[
            _("No user can trust it until it is added again. It can be deleted only while no user trusts it.")
        ],
        button=_("Delete issuer"),
        back=_page_of(row),
    )


def _page_of(row: IdTokenIssuer) -> str:
    assert row.account
    return reverse("id-token-issuer", args=[row.account.handle, row.pk])
