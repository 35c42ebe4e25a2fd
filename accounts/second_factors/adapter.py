"""How second factors behave (django-allauth's adapter of allauth.mfa)."""

from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Person
from accounts.second_factors import secrets

NAME: Final = "Registry Manager"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages: ClassVar = DefaultMFAAdapter.error_messages | {
        "cannot_generate_recovery_codes": gettext_lazy(
            "Recovery codes stand in for an authenticator app or a passkey; set one up first."
        ),
        "incorrect_code": gettext_lazy("This code is wrong, or was used already."),
        "unknown_passkey": gettext_lazy("This passkey could not be verified. Try again, or use another way."),
    }

    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return str(urlsplit(settings.PUBLIC_URL).netloc)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return PUBLIC_URL's host, whatever the request's is: a passkey works at one name alone."""
        return {"id": str(urlsplit(settings.PUBLIC_URL).hostname), "name": NAME}

    def generate_authenticator_name(self, user: Person, type: Any) -> str:  # noqa: A002 (allauth's name)
        made = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": made + 1} if made else _("Passkey")
