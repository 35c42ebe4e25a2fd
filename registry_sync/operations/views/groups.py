"""Which group at the sign-in provider has which role in which account."""

from collections.abc import Sequence

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import reauthentication
from accounts.common.errors import Invalid
from accounts.common.pagination import paginate
from accounts.models import GroupRole
from accounts.models.member import ROLES
from accounts.selectors import group_roles
from accounts.services import group_roles as service
from accounts.services.group_roles import Effect
from accounts.sso.identity import GROUP_MAX
from accounts.templatetags.formatting import word
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal
from registry_sync.operations import permissions
from registry_sync.operations.views.navigation import operators, system_context

NAMED = 20  # members, in a question


class GroupForm(forms.Form):
    group = forms.CharField(
        label=gettext_lazy("Group"),
        help_text=gettext_lazy("Exactly as the provider sends it; some send IDs, others paths."),
        max_length=GROUP_MAX,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )
    account = forms.CharField(
        label=gettext_lazy("Handle of the account"),
        help_text=gettext_lazy("As in the URLs of its pages: /a/HANDLE/."),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES, initial="viewer")


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def groups(request: PersonRequest) -> HttpResponse:
    return _create(request) if request.method == "POST" else _page(request, GroupForm())


@reauthentication.required
def _create(request: PersonRequest) -> HttpResponse:
    form = GroupForm(request.POST)
    if form.is_valid():
        try:
            row = service.create(by=principal(request), **form.cleaned_data)
        except Invalid as error:
            put_errors(form, error)
        else:
            words = {"group": row.group, "account": row.account.name}
            messages.success(
                request, _("Whoever is in %(group)s joins %(account)s at their next sign-in.") % words
            )
            return redirect("system-groups")
    return _page(request, form)


def _page(request: PersonRequest, form: GroupForm) -> HttpResponse:
    context = system_context("system-groups") | {
        "form": form,
        "roles": ROLES,
        "page": paginate(group_roles(), cursor=request.GET.get("page", "")),
        "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "operator_group": settings.OIDC_OPERATOR_GROUP,
    }
    return render(request, "registry_sync/system_groups.html", context, status=status_of(form))


@operators
@asks
@reauthentication.required
def change(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    """Ask first where somebody would have another role at once."""
    row = permissions.group_role(principal(request), id)
    role = request.POST.get("role") or request.GET.get("role", "")
    try:
        effects = service.preview(row, role=role)
        if request.method != "POST":
            return ask(request, _lowering(row, role, effects)) if effects else redirect("system-groups")
        if effects and "sure" not in request.POST:
            return redirect(f"{request.path}?role={role}")
        service.change(by=principal(request), group_role=row, role=role)
    except Invalid as error:
        messages.error(request, error.message)
    else:
        words = {"group": row.group, "role": word(row.role), "account": row.account.name}
        messages.success(request, _("%(group)s is now %(role)s of %(account)s.") % words)
    return redirect("system-groups")


@operators
@asks
def delete(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    row = permissions.group_role(principal(request), id)
    if request.method != "POST":
        return ask(request, _removing(row, service.preview(row, role=None)))
    reauthentication.confirm(request)
    service.delete(by=principal(request), group_role=row)
    messages.success(request, _("%(group)s has no role in %(account)s any more.") % _names(row))
    return redirect("system-groups")


def _removing(row: GroupRole, effects: Sequence[Effect]) -> Question:
    return Question(
        title=_("Remove the role of %(group)s in %(account)s?") % _names(row),
        stops=[*_told(effects), _("Memberships that were given by hand stay as they are.")],
        button=_("Remove role"),
        back=reverse("system-groups"),
    )


def _lowering(row: GroupRole, role: str, effects: Sequence[Effect]) -> Question:
    return Question(
        title=_("Make %(group)s %(role)s of %(account)s?") % {**_names(row), "role": word(role)},
        stops=[*_told(effects), _("Memberships that were given by hand stay as they are.")],
        button=_("Change role"),
        back=reverse("system-groups"),
        fields={"role": role, "sure": "yes"},
    )


def _told(effects: Sequence[Effect]) -> list[str]:
    """Say of each member what becomes of them at once; of many, of the first."""
    if not effects:
        return [_("No member has this role through this group alone, so nobody loses anything.")]
    words = [_of_one(each) for each in effects[:NAMED]]
    more = len(effects) - len(words)
    if more:
        words.append(ngettext("And %(n)s more member.", "And %(n)s more members.", more) % {"n": more})
    return words


def _of_one(effect: Effect) -> str:
    person, after = {"person": str(effect.member.person)}, effect.change.after
    if effect.change.kept:
        return _("%(person)s stays owner, as the last one.") % person
    if after is None:
        return _("%(person)s stops being a member at once.") % person
    return _("%(person)s is %(role)s from then on.") % {**person, "role": word(after)}


def _names(row: GroupRole) -> dict[str, str]:
    return {"group": row.group, "account": row.account.name}
