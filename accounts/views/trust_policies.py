"""Trust policies of a user: which ID tokens of CI jobs act as it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import permissions, selectors
from accounts.common.errors import Invalid
from accounts.id_tokens.job_texts import exchange_text, job_text
from accounts.id_tokens.presets import PRESETS, Preset, preset_of
from accounts.id_tokens.proposals import propose
from accounts.id_tokens.rule_text import rule_texts
from accounts.id_tokens.verification import LONGEST
from accounts.models import IdTokenIssuer, RegistryUser, TrustPolicy
from accounts.roles import Permission
from accounts.services import trust_policies
from accounts.services.trust_policies import ChangedMeanwhile, InvalidRules
from accounts.trust_policy_form import MORE_ROWS, TrustPolicyForm, initial_of, initial_of_proposal
from accounts.views import credentials_page, pasted_token
from accounts.views.client_tabs import login_of
from accounts.views.confirmation import Question, ask, asks, last_use
from accounts.views.form_errors import put_errors, status_of
from accounts.views.pasted_token import PastedToken
from accounts.views.request import PersonRequest, principal, tab


class ReadOnce(forms.Textarea):
    """What was pasted is not written back."""

    def format_value(self, value: Any) -> None:
        return None


class TokenForm(forms.Form):
    """A token of a job, pasted to be read once."""

    token = forms.CharField(
        label=gettext_lazy("ID token of a job"),
        max_length=2 * LONGEST,  # with the line breaks of a log
        help_text=gettext_lazy("It is read once, and neither stored nor shown. An expired one works too."),
        widget=ReadOnce(
            {
                "rows": 4,
                "class": "font-monospace",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "eyJ…",
            }
        ),
    )


@dataclass(frozen=True)
class PolicyLine:
    """A policy as the user's page shows it."""

    policy: TrustPolicy
    rules: list[str]
    usual_audience: bool


def policy_lines(user: RegistryUser) -> list[PolicyLine]:
    return [
        PolicyLine(each, [*rule_texts(each.rules)], each.audience == settings.PUBLIC_URL)
        for each in selectors.trust_policies_of(user)
    ]


@login_required
@asks
@never_cache
@sensitive_post_parameters("token")
@tab("users")
def create(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    """Choose who runs the jobs (`?preset=github`), or paste a token of one; then say which jobs are meant."""
    user = permissions.user(principal(request), handle, username, Permission.USERS_MANAGE)
    slug = request.POST.get("preset") or request.GET.get("preset", "")
    if request.POST.get("act") == "read":
        return _read(request, user)
    if slug not in PRESETS:
        context = {
            "account": user.account,
            "user": user,
            "presets": PRESETS.values(),
            "token_form": TokenForm(),
        }
        return render(request, "accounts/trust_policy_presets.html", context)
    return _form_page(request, user, PRESETS[slug])


@login_required
@asks
@never_cache
@tab("users")
def edit(request: PersonRequest, handle: str, username: str, policy_id: int) -> HttpResponse:
    policy = permissions.trust_policy(principal(request), handle, username, policy_id)
    return _form_page(request, policy.user, preset_of(policy.issuer.preset), policy)


def _read(request: PersonRequest, user: RegistryUser) -> HttpResponse:
    form = TokenForm(request.POST)
    if form.is_valid():
        try:
            pasted = pasted_token.read(form.cleaned_data["token"], user.account, timezone.now())
        except Invalid as error:
            put_errors(form, error)
        else:
            return _proposal_page(request, user, pasted)
    context = {"account": user.account, "user": user, "presets": PRESETS.values(), "token_form": form}
    return render(request, "accounts/trust_policy_presets.html", context, status=status_of(form))


def _proposal_page(request: PersonRequest, user: RegistryUser, pasted: PastedToken) -> HttpResponse:
    initial = initial_of_proposal(propose(pasted.claims, pasted.preset), pasted.preset)
    if pasted.issuer:
        initial["issuer"] = pasted.issuer.pk
    form = _form(user, pasted.preset, initial=initial)
    return _render(request, user, form, pasted=pasted)


def _form_page(
    request: PersonRequest, user: RegistryUser, preset: Preset, policy: TrustPolicy | None = None
) -> HttpResponse:
    initial = initial_of(policy, preset) if policy else {}
    if request.method != "POST":
        return _render(request, user, _form(user, preset, policy, initial=initial), policy)
    if request.POST.get("act") == "more":
        return _render(request, user, _with_more_rows(request, user, preset, policy), policy)
    form = _form(user, preset, policy, given=request.POST)
    if form.is_valid() and _saved(request, user, form, policy):
        return redirect(f"{user.get_absolute_url()}#id-tokens")
    return _render(request, user, form, policy)


def _saved(
    request: PersonRequest, user: RegistryUser, form: TrustPolicyForm, policy: TrustPolicy | None
) -> bool:
    by, fields, rules = principal(request), form.cleaned_data, form.rules()
    if form.errors:
        return False
    change: trust_policies.PolicyChange = {
        "rules": rules,
        "audience": fields["audience"],
        "pull_requests_may_push": fields["pull_requests_may_push"],
        "note": fields["note"],
    }
    try:
        if policy:
            trust_policies.edit(by=by, policy=policy, version=fields["version"] or None, **change)
        else:
            issuer = trust_policies.issuer_for(user.account, int(fields["issuer"]))
            trust_policies.create(by=by, user=user, issuer=issuer, **change)
    except InvalidRules as error:
        form.put_problems(error.problems)
        return False
    except ChangedMeanwhile as error:
        form.put_version(error.version)
        put_errors(form, error)
        return False
    except Invalid as error:
        put_errors(form, error)
        return False
    messages.success(request, _("Saved. Such jobs can sign in from now on."))
    return True


def _with_more_rows(
    request: PersonRequest, user: RegistryUser, preset: Preset, policy: TrustPolicy | None
) -> TrustPolicyForm:
    """Return the form as it was sent, with more empty rows."""
    data = request.POST.copy()
    data["rows"] = str(_form(user, preset, policy, given=data).row_count + MORE_ROWS)
    return _form(user, preset, policy, given=data)


def _form(
    user: RegistryUser,
    preset: Preset,
    policy: TrustPolicy | None = None,
    *,
    given: Any = None,
    initial: Mapping[str, Any] | None = None,
) -> TrustPolicyForm:
    return TrustPolicyForm(
        given,
        preset=preset,
        issuers=[policy.issuer] if policy else _issuers(user, preset),
        audiences=trust_policies.audiences(user.account),
        initial=initial,
    )


def _issuers(user: RegistryUser, preset: Preset) -> Sequence[IdTokenIssuer]:
    return [each for each in selectors.usable_issuers(user.account) if preset_of(each.preset) is preset]


def _render(
    request: PersonRequest,
    user: RegistryUser,
    form: TrustPolicyForm,
    policy: TrustPolicy | None = None,
    pasted: PastedToken | None = None,
) -> HttpResponse:
    audience = policy.audience if policy else settings.PUBLIC_URL
    login = login_of(user, audience, credentials_page.example_of(user))
    context = {
        "account": user.account,
        "user": user,
        "form": form,
        "preset": form.preset,
        "new_issuer_url": _new_issuer_url(user, form.preset),
        "policy": policy,
        "pasted": pasted,
        "steps": job_text(form.preset.slug, login),
        "exchange": exchange_text(login, settings.PUBLIC_URL),
        "swapped": selectors.swapped_passwords_of(user).filter(policy=policy) if policy else [],
    }
    return render(request, "accounts/trust_policy.html", context, status=status_of(form))


def _new_issuer_url(user: RegistryUser, preset: Preset) -> str:
    handle = user.account.handle
    back = reverse("trust-policy-create", args=[handle, user.username])
    query = {"preset": preset.slug, "next": back}
    return f"{reverse('id-token-issuer-create', args=[handle])}?{urlencode(query)}"


@login_required
@asks
@tab("users")
def disable(request: PersonRequest, handle: str, username: str, policy_id: int) -> HttpResponse:
    by = principal(request)
    policy = permissions.trust_policy(by, handle, username, policy_id)
    if request.method != "POST":
        return ask(request, _question(policy, _("Disable trust"), _("Disable the trust policy %(policy)s?")))
    trust_policies.disable(by=by, policy=policy)
    messages.success(request, _("Disabled. Its jobs can no longer sign in."))
    return redirect(f"{policy.user.get_absolute_url()}#id-tokens")


@login_required
@require_POST
def enable(request: PersonRequest, handle: str, username: str, policy_id: int) -> HttpResponse:
    by = principal(request)
    policy = trust_policies.enable(by=by, policy=permissions.trust_policy(by, handle, username, policy_id))
    messages.success(request, _("Enabled. Its jobs can sign in again."))
    return redirect(f"{policy.user.get_absolute_url()}#id-tokens")


@login_required
@asks
@tab("users")
def delete(request: PersonRequest, handle: str, username: str, policy_id: int) -> HttpResponse:
    by = principal(request)
    policy = permissions.trust_policy(by, handle, username, policy_id)
    if request.method != "POST":
        return ask(request, _question(policy, _("Delete policy"), _("Delete the trust policy %(policy)s?")))
    trust_policies.delete(by=by, policy=policy)
    messages.success(request, _("Deleted. Its jobs can no longer sign in."))
    return redirect(f"{policy.user.get_absolute_url()}#id-tokens")


def _question(policy: TrustPolicy, button: str, title: str) -> Question:
    return Question(
        title=title % {"policy": policy.shown},
        last_use=last_use(policy.shown, policy.last_used_at, policy.last_used_with, policy.last_used_from),
        stops=[
            _("Its jobs can no longer sign in, unless another policy lets them."),
            _("Passwords that jobs got for an ID token under this policy stop working at once."),
        ],
        button=button,
        back=policy.user.get_absolute_url(),
    )
