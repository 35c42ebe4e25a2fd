"""How allauth sees the sign-in provider: one, from the settings, which signs up as the panel's own form does."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import sso_sessions
from accounts.common.errors import Conflict
from accounts.models import Person
from accounts.selectors import groups_give_a_role
from accounts.sso_sessions import PROVIDER
from accounts.views import opened_links


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "no_password": gettext_lazy("Set a password first: without one you could no longer sign in."),
        "no_verified_email": gettext_lazy("Confirm your email address first."),
    }

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return the one of the settings. allauth would ask the database for more."""
        if not settings.OIDC_ISSUER or provider not in (None, PROVIDER, "openid_connect"):
            return []
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=PROVIDER,
                name=settings.OIDC_NAME,
                client_id=settings.OIDC_CLIENT_ID,
                settings={"uid_field": "uid"},
            )
        ]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Let in who has a link, or a group to which an operator gave a role: the table invites its groups."""
        return opened_links.admit(request) or self.may_come_unasked(sociallogin)

    def may_come_unasked(self, sociallogin: SocialLogin) -> bool:
        if settings.SIGNUP == "invite":
            return groups_give_a_role(sso_sessions.groups_of(sociallogin))
        return settings.SIGNUP == "open"

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Person:
        try:
            with transaction.atomic():
                person: Person = super().save_user(request, sociallogin, form)
                reserved = opened_links.reserve(request, person)
                if not reserved and not self.may_come_unasked(sociallogin):
                    raise Conflict.on(
                        "", _("Someone else has just used this link, so you were not signed up.")
                    )
        except IntegrityError:  # two browsers at once
            raise Conflict.on("", _("Someone has just signed up with this address.")) from None
        return person
