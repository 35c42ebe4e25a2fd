"""allauth's forms of second factors, with our bounds, and codes that work once in all processes."""

import json
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import TITLE_MAX, clean_title
from accounts.second_factors import codes
from accounts.second_factors.attempts import Attempt

PASSKEYS_MAX: Final = 20
CREDENTIAL_MAX: Final = 16 * 1024  # characters; those of a key on a telephone or a stick are about 1,000
CODE_MAX: Final = 40
# What fido2 raises of JSON that is no credential.
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError)
CODE: Final = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "autocapitalize": "off",
    "autofocus": True,
}


def _code_field(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=CODE_MAX, widget=forms.TextInput(attrs=CODE), help_text=help_text
    )


class AuthenticateForm(base.AuthenticateForm):  # type: ignore[misc]
    code = _code_field(
        gettext_lazy("Code"), gettext_lazy("Six digits from your authenticator app, or a recovery code.")
    )
    reauthentication = False

    def clean_code(self) -> str:
        attempt = Attempt(self.user, guessable=True)
        code = str(self.cleaned_data["code"])
        found = codes.accept(self.user, code)
        if not found:
            self._tell()
            raise get_adapter().validation_error("incorrect_code")
        attempt.succeeded()
        found.user = self.user
        self.authenticator = found
        return code

    def _tell(self) -> None:
        rows = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
        if main := rows.order_by("-type").first():
            self._emit_authentication_failed(main)

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        signals.authentication_failed.send(
            sender=Authenticator,
            request=context.request,
            user=self.user,
            authenticator=authenticator,
            reauthentication=self.reauthentication,
        )


class ReauthenticateForm(AuthenticateForm):
    reauthentication = True

    def save(self) -> None:
        base.ReauthenticateForm.save(self)


class ActivateTOTPForm(AllauthActivateTOTPForm):  # type: ignore[misc]
    """`step`: the step of time that the code was of, so that it is not taken again."""

    code = _code_field(gettext_lazy("Code"), gettext_lazy("The six digits that the app shows now."))
    step: int

    def clean_code(self) -> str:
        attempt = Attempt(self.user, guessable=False)
        code = str(self.cleaned_data["code"])
        step = codes.step_of(self.secret, code)
        if not step:
            raise get_adapter().validation_error("incorrect_code")
        attempt.succeeded()
        self.step = step
        return code


class CredentialField(forms.JSONField):
    """What a browser's passkey answered. JSON that is nested without end is none."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:
            raise get_adapter().validation_error("unknown_passkey") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return None  # the form is shown again without it


class _Name:
    """Of a passkey, for forms with a field `name`."""

    cleaned_data: dict[str, Any]

    def clean_name(self) -> str:
        name = clean_title(str(self.cleaned_data["name"]))
        if len(name) > TITLE_MAX:
            raise ValidationError(_("Use at most %(most)s characters.") % {"most": TITLE_MAX})
        return name


class AddPasskeyForm(_Name, webauthn.AddWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=TITLE_MAX,
        help_text=gettext_lazy("To tell your passkeys apart, such as “Laptop”."),
    )
    passwordless = forms.BooleanField(
        label=gettext_lazy("Sign in with it alone, without a password"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Asks for a PIN, a fingerprint or a face. Some older security keys cannot do this."
        ),
    )

    def clean_name(self) -> str:
        return super().clean_name() or get_adapter().generate_authenticator_name(
            self.user, Authenticator.Type.WEBAUTHN
        )

    def clean(self) -> dict[str, Any]:
        made = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).count()
        if made >= PASSKEYS_MAX:
            raise ValidationError(_("You can have at most %(most)s passkeys.") % {"most": PASSKEYS_MAX})
        if len(json.dumps(self.cleaned_data.get("credential"))) > CREDENTIAL_MAX:
            raise get_adapter().validation_error("unknown_passkey")
        try:
            cleaned: dict[str, Any] = super().clean()
            if credential := cleaned.get("credential"):
                response = auth.parse_registration_response(credential)
                check_origin(response.response.client_data.origin)
        except MALFORMED:
            raise get_adapter().validation_error("unknown_passkey") from None
        return cleaned


def check_origin(origin: str) -> None:
    """Raise ValueError for an answer that was given to another page: the library takes subdomains and other ports."""
    public, found = urlsplit(settings.PUBLIC_URL), urlsplit(origin)
    ports = {"https": 443, "http": 80}
    ours = (public.scheme, public.hostname, public.port or ports.get(public.scheme))
    if (found.scheme, found.hostname, found.port or ports.get(found.scheme)) != ours:
        raise ValueError(origin)


class RenamePasskeyForm(_Name, webauthn.EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label=gettext_lazy("Name"), max_length=TITLE_MAX)


class AuthenticatePasskeyForm(webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()

    def clean_credential(self) -> Authenticator:
        """As allauth, but attempts count for the place; and of whoever signs in with a passkey alone, for nobody.

        There the credential itself says whose it is, so that anybody could use up another's attempts.
        """
        credential = self.cleaned_data["credential"]
        attempt = Attempt(self.user, guessable=False) if self.user else None
        try:
            response = auth.parse_authentication_response(credential)
            person = self.user or auth.extract_user_from_response(credential)
            found = auth.complete_authentication(person, credential)
            verified = response.response.authenticator_data.is_user_verified()
            check_origin(response.response.client_data.origin)
        except (*MALFORMED, ValidationError):
            raise get_adapter().validation_error("unknown_passkey") from None
        if self.passwordless and not verified:
            raise get_adapter().validation_error("unknown_passkey")
        if attempt:
            attempt.succeeded()
        return found


class LoginPasskeyForm(AuthenticatePasskeyForm):
    passwordless = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=None, **kwargs)


class ReauthenticatePasskeyForm(AuthenticatePasskeyForm):
    reauthenticated = True
