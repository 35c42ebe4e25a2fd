"""Issuers of ID tokens that every account may trust: their keys, who trusts them, and what operators do about them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import permissions, reauthentication
from accounts.common import clock
from accounts.common.errors import Conflict, Invalid
from accounts.common.pagination import paginate
from accounts.id_tokens import keys, selectors
from accounts.id_tokens.presets import preset_of
from accounts.issuer_forms import IssuerForm, NewIssuerForm
from accounts.models import IdTokenIssuer
from accounts.services import issuers as service
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal
from registry_sync import live_updates
from registry_sync.operations.views.navigation import operators, system_context

TAB = "system-issuers"
ACCOUNTS_SHOWN = 50


@operators
@require_safe
def issuers(request: PersonRequest) -> HttpResponse:
    found = paginate(selectors.shared_issuers(), cursor=request.GET.get("page", ""))
    return render(request, "registry_sync/system_issuers.html", system_context(TAB) | {"page": found})


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication.required
def create(request: PersonRequest) -> HttpResponse:
    form = NewIssuerForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = service.add(by=principal(request), **form.cleaned_data)
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Every account may trust this issuer now."))
            return redirect("system-issuer", row.pk)
    context = system_context(TAB) | {"form": form}
    return render(request, "registry_sync/system_issuer_form.html", context, status=status_of(form))


@operators
@require_safe
@vary_on_headers("HX-Request")
def issuer(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    row = permissions.issuer(principal(request), id)
    pending = keys.due(clock.now()).filter(pk=row.pk).exists()
    context = {
        "issuer": row,
        "keys": keys.key_set(row),
        "pending": pending,
        "live": live_updates.note_of_issuer(request, row) if pending else "",
    }
    if request.htmx:
        return render(request, "registry_sync/_issuer_keys.html", context)
    context |= system_context(TAB) | {
        "kind": preset_of(row.preset).name if row.preset else _("Any OIDC issuer"),
        "trusted": row.trust_policies.exists(),
        "use": selectors.issuer_use(row),
        "accounts": selectors.accounts_trusting(row)[:ACCOUNTS_SHOWN],
    }
    return render(request, "registry_sync/system_issuer.html", context)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication.required
def edit(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = permissions.issuer(by, id)
    form = IssuerForm(request.POST) if request.method == "POST" else IssuerForm.of(row)
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
            return redirect("system-issuer", row.pk)
    context = system_context(TAB) | {"form": form, "issuer": row, "version": version}
    return render(request, "registry_sync/system_issuer_form.html", context, status=status_of(form))


@operators
@require_POST
def fetch(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = permissions.issuer(by, id)
    try:
        service.fetch_now(by=by, issuer=row, now=clock.now())
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("system-issuer", row.pk)


@operators
@require_POST
@reauthentication.required
def enable(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = permissions.issuer(by, id)
    service.enable(by=by, issuer=row)
    messages.success(request, _("Its tokens are accepted again, where a user trusts them."))
    return redirect("system-issuer", row.pk)


@operators
@asks
@reauthentication.required
def disable(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = permissions.issuer(by, id)
    if request.method != "POST":
        return ask(request, _disabling(row))
    service.disable(by=by, issuer=row)
    messages.success(request, _("Disabled. Its tokens are refused from now on."))
    return redirect("system-issuer", row.pk)


@operators
@asks
@reauthentication.required
def delete(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = permissions.issuer(by, id)
    if request.method != "POST":
        return ask(request, _deleting(row))
    try:
        service.delete(by=by, issuer=row)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("system-issuer", row.pk)
    messages.success(request, _("%(issuer)s is no longer in the list.") % {"issuer": row})
    return redirect("system-issuers")


def _disabling(row: IdTokenIssuer) -> Question:
    use = selectors.issuer_use(row)
    stops = [
        _("Its ID tokens are refused at once, and so are passwords that jobs got for them."),
        _("Registry tokens that were issued before stay valid until they end, within minutes."),
    ]
    if use.users:
        words = ngettext(
            "%(count)s user trusts it and can then sign in only with a password, if it has one.",
            "%(count)s users trust it and can then sign in only with a password, if they have one.",
            use.users,
        )
        stops.insert(0, words % {"count": use.users})
    else:
        stops.insert(0, _("No user trusts it."))
    return Question(
        title=_("Disable %(issuer)s?") % {"issuer": row},
        stops=stops,
        button=_("Disable issuer"),
        back=reverse("system-issuer", args=[row.pk]),
    )


def _deleting(row: IdTokenIssuer) -> Question:
    return Question(
        title=_("Delete %(issuer)s?") % {"issuer": row},
        stops=[
            _("No user can trust it until it is added again. It can be deleted only while no user trusts it.")
        ],
        button=_("Delete issuer"),
        back=reverse("system-issuer", args=[row.pk]),
    )
