"""A person's second factors: allauth's pages, each change whole or not at all, and passkeys listed with the rest."""

from typing import Any

from allauth.core.internal import ratelimit
from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    LoginWebAuthnView,
    RemoveWebAuthnView,
)
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.second_factors import codes, requirement
from accounts.services import second_factors
from accounts.views.request import PersonRequest
from accounts.views.second_factor_way import take_wanted

whole = method_decorator(transaction.atomic, name="form_valid")
fresh = method_decorator(never_cache, name="dispatch")


class Index(IndexView):  # type: ignore[misc]
    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**more)
        passkeys = context["authenticators"].get(Authenticator.Type.WEBAUTHN, [])
        person = self.request.user
        has_factor = requirement.has_factor(person)
        return context | {
            "codes_left": codes.left(person),
            "passkeys": passkeys,
            "required_by": "" if has_factor else second_factors.requires_of(person),
            "wanted": take_wanted(self.request) if has_factor else "",
        }


@fresh
class Authenticate(AuthenticateView):  # type: ignore[misc]
    """The second page of signing in."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        rows = Authenticator.objects.filter(user=self.stage.login.user)
        context: dict[str, Any] = super().get_context_data(**more)
        return context | {"kinds": set(rows.values_list("type", flat=True))}


@fresh
@whole
class ActivateTOTP(ActivateTOTPView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        second_factors.lock(self.request.user)
        if Authenticator.objects.filter(user=self.request.user, type=Authenticator.Type.TOTP).exists():
            return redirect("mfa_index")  # set up in another window meanwhile
        answer: HttpResponse = super().form_valid(form)
        row = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        row.data[codes.LAST_STEP] = form.step
        row.save(update_fields=["data"])
        return answer


class Removal:
    """Of a second factor: not of the last one, while one is required."""

    request: PersonRequest

    def form_valid(self, form: Any) -> HttpResponse:
        person = self.request.user
        if who := second_factors.keeps(person, self.removed()):
            text = _("%(who)s requires a second factor. Set up another one before you remove this.")
            form.add_error(None, text % {"who": who})
            refusal: HttpResponse = self.form_invalid(form)  # type: ignore[attr-defined]
            return refusal
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return answer

    def removed(self) -> Authenticator:
        raise NotImplementedError


@whole
class DeactivateTOTP(Removal, DeactivateTOTPView):  # type: ignore[misc]
    def removed(self) -> Authenticator:
        return self.authenticator


@fresh
@whole
class AddPasskey(AddWebAuthnView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        second_factors.lock(self.request.user)  # with the first one come the recovery codes, once
        answer: HttpResponse = super().form_valid(form)
        return answer


@whole
class RenamePasskey(EditWebAuthnView):  # type: ignore[misc]
    success_url = reverse_lazy("mfa_index")


@whole
class RemovePasskey(Removal, RemoveWebAuthnView):  # type: ignore[misc]
    success_url = reverse_lazy("mfa_index")

    def removed(self) -> Authenticator:
        return self.object


@whole
class GenerateRecoveryCodes(GenerateRecoveryCodesView):  # type: ignore[misc]
    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """As allauth, but those whose key is lost are replaced, too."""
        above: Any = super(GenerateRecoveryCodesView, self)
        context: dict[str, Any] = above.get_context_data(**more)
        return context | {"unused_code_count": codes.left(self.request.user)}


@fresh
class SignInWithPasskey(LoginWebAuthnView):  # type: ignore[misc]
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return what the browser's passkeys are asked. Bounded: each answer writes a session."""
        if request.method != "GET" or request.headers.get("Accept") != "application/json":
            return redirect("account_login")
        refusal: HttpResponse | None = ratelimit.consume_or_429(
            request, app="allauth.mfa", action="webauthn_options", limit_get=True
        )
        return refusal or JsonResponse({"request_options": begin_authentication()})


@login_required
@require_safe
def passkeys(request: PersonRequest) -> HttpResponse:
    """Lead to the page that lists them beside the other factors."""
    return redirect("mfa_index")


index = Index.as_view()
authenticate = Authenticate.as_view()
activate_totp = ActivateTOTP.as_view()
deactivate_totp = DeactivateTOTP.as_view()
add_passkey = AddPasskey.as_view()
rename_passkey = RenamePasskey.as_view()
remove_passkey = RemovePasskey.as_view()
generate_recovery_codes = GenerateRecoveryCodes.as_view()
sign_in_with_passkey = SignInWithPasskey.as_view()
