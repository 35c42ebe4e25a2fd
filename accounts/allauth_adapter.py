"""Who may sign up, and how sign-in pages behave (django-allauth's adapter)."""

import logging
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import clear_authentication_records, record_authentication
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts import dropped_entries, reauthentication, sign_ins, sso_sessions
from accounts.common.client_ip import Origin, client_address, client_network
from accounts.common.errors import Conflict, Unavailable
from accounts.common.user_agent import browser
from accounts.hashers import Crowded
from accounts.models import DropCounter, Person
from accounts.names import PASSWORD_MAX, clean_email
from accounts.services import people
from accounts.sign_ins import FailedSignIn
from accounts.views import language, opened_links, sso_link
from accounts.views.form_errors import is_ours

log = logging.getLogger(__name__)
# allauth’s label, which our catalogues translate in its place.
EMAIL = gettext_noop("Email")
turned_away = dropped_entries.Tally(DropCounter.Kind.SIGN_INS)
# In the session: a digest of the password that the person had when this sign-in began.
BEGUN_WITH = "sign_in_begun_with"


class PanelAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "account_inactive": gettext_lazy("This person can no longer sign in here."),
        "cannot_remove_primary_email": gettext_lazy("Make another address primary first."),
        "duplicate_email": gettext_lazy("You have this address already."),
        "email_password_mismatch": gettext_lazy("The email address or the password is wrong."),
        "email_taken": gettext_lazy("Someone has already signed up with this address."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "invalid_password_reset": gettext_lazy("This link no longer works. Request a new one."),
        "max_email_addresses": gettext_lazy("You cannot have more than %d addresses."),
        "rate_limited": gettext_lazy("Too many requests. Try again later."),
        "too_many_codes": gettext_lazy(
            "Too many wrong codes today. Use a passkey, or ask the operator to help you."
        ),
        "too_many_login_attempts": gettext_lazy("Too many failed login attempts. Try again in five minutes."),
        "unverified_primary_email": gettext_lazy("Confirm the address before you make it primary."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.OIDC_ONLY:  # but the first operator, who may be the one to set the provider up
            return opened_links.admit_operator(request)
        return settings.SIGNUP == "open" or opened_links.admit(request)

    def clean_email(self, email: str) -> str:
        if cleaned := clean_email(email):
            return cleaned
        raise ValidationError(_("Enter a valid email address."))

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        try:
            with transaction.atomic():
                saved = super().save_user(request, user, form, commit)
                people.forget_claims(email=saved.email)
                reserve_link(request, saved)
                if saved.has_usable_password():  # it was typed just now (accounts/reauthentication.py)
                    record_authentication(request, saved, "password")
                return saved
        except IntegrityError:  # the form found the address free a moment ago
            raise Conflict.on("email", _("Someone has just signed up with this address.")) from None

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """As everywhere (accounts/reauthentication.py). Raise Forbidden for who has no way to do it."""
        request = context.request
        if reauthentication.is_fresh(request) or not super().is_reauthentication_required(app=app, **more):
            return False
        reauthentication.refuse_without_way(request)
        reauthentication.forget_form(request)
        return True

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Who signs up by the operator's link need not wait for a mail: they may be the one to mend the mail server."""
        return people.signed_up_by_operator_link(email=email) or bool(
            super().is_email_verified(request, email)
        )

    def add_message(self, request: HttpRequest, *arguments: Any, **more: Any) -> None:
        """Not beside the page that says it anyway: it would stay away where a mail went out a moment ago."""
        signing_up = settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" and not request.user.is_authenticated
        if not (signing_up and "email_confirmation_sent" in str(arguments)):
            super().add_message(request, *arguments, **more)

    def is_safe_url(self, url: str) -> bool:
        return is_ours(url)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return opened_links.page(request) or str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return opened_links.page(request) or str(super().get_signup_redirect_url(request))

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        email = str(credentials.pop("email", ""))
        if len(credentials.get("password", "")) > PASSWORD_MAX:
            # Nobody has such a one: a wrong guess, and hashed for no address, known or not.
            self.pre_authenticate(request, email=clean_email(email) or email)
            return None
        try:
            return super().authenticate(request, email=clean_email(email) or email, **credentials)
        except Crowded:
            self._rollback_login_failed_rl_usage()
            turned_away.add()
            raise
        finally:
            turned_away.write()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note it for the person, if there is one; not now, which would take longer than for nobody."""
        origin = Origin(
            client_address(request.META), browser(request.META.get("HTTP_USER_AGENT", "")), timezone.now()
        )
        sign_ins.failed.note(FailedSignIn(str(credentials.get("email", "")).lower()[:254], origin))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count by address *and* place (docs/adr/0007): wrong guesses from elsewhere never keep the owner out.

        allauth counts by address and Host, and the port of a Host is anybody's choice.
        """
        return f"{client_network(request.META)} {str(credentials.get('email', '')).lower()}"

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request.META) or "0.0.0.0"  # noqa: S104 (where there is none, as on a socket)

    def render_mail(
        self, template_prefix: str, email: Any, context: dict[str, Any], headers: Any = None
    ) -> Any:
        """Nothing in a mail comes from the request's Host: even an allowed one has a port of anybody's choice."""
        links = {name: _public(link) for name, link in context.items() if name.endswith("_url")}
        domain = urlsplit(settings.PUBLIC_URL).netloc
        context.update(links, current_site={"name": "Registry Manager", "domain": domain})
        return super().render_mail(template_prefix, email, context, headers)

    def pre_login(self, request: HttpRequest, user: Any, **more: Any) -> Any:
        answer = super().pre_login(request, user, **more)
        if not answer and not sso_sessions.may_begin(
            request, user, linking=sso_link.is_linking(request, user)
        ):
            clear_authentication_records(request)
            messages.error(request, _("Sign in with %(name)s.") % {"name": settings.OIDC_NAME})
            return redirect("account_login")
        request.session[BEGUN_WITH] = user.get_session_auth_hash()
        return answer

    def login(self, request: HttpRequest, user: Any) -> None:
        """Not who was disabled, or has another password, since `pre_login`: a second factor was asked for meanwhile.

        A new password ends the sessions that an older one began, and so this one before it begins.
        """
        if not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        now = user.get_session_auth_hash()
        if not constant_time_compare(request.session.pop(BEGUN_WITH, now), now):
            clear_authentication_records(request)
            messages.error(request, _("Your password has changed in the meantime. Sign in again."))
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        found: list[dict[str, str]] = super().get_reauthentication_methods(user)
        if sso_sessions.can_confirm(user):
            words = _("Sign in again with %(name)s") % {"name": settings.OIDC_NAME}
            found.append({"id": "sso", "description": words, "url": reverse("sso-confirm")})
        return found

    def post_login(self, request: HttpRequest, user: Any, **more: Any) -> Any:
        if login := (more.get("signal_kwargs") or {}).get("sociallogin"):
            sso_sessions.bound(request)
            sso_sessions.follow_groups(user, sso_sessions.groups_of(login))
        answer = super().post_login(request, user, **more)
        language.remember_choice_of(user, answer)
        return answer

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """To the outbox, or without a mail server into a folder, where there may be no room.

        In the language of the person who gets it, whoever asked for it; else in that of the page.
        """
        try:
            with translation.override(_language_of(email) or translation.get_language()):
                super().send_mail(template_prefix, email, context)
        except OSError as error:
            log.warning("a mail could not be written: %s", type(error).__name__)
            raise Unavailable(
                _("The email could not be saved, so it was not sent. Try again later.")
            ) from None

    def send_notification_mail(self, *arguments: Any, **more: Any) -> None:
        """Of a change that was made: it stands, whether the mail can be written or not."""
        with suppress(Unavailable):
            super().send_notification_mail(*arguments, **more)


def _language_of(email: str) -> str:
    return Person.objects.filter(email=email.lower()).values_list("language", flat=True).first() or ""


def _public(link: str) -> str:
    parts = urlsplit(link)
    return settings.PUBLIC_URL + urlunsplit(("", "", parts.path, parts.query, parts.fragment))


def reserve_link(request: HttpRequest, person: Person) -> None:
    """Of two who sign up by one link the second is turned away, where signing up takes a link."""
    if not opened_links.reserve(request, person) and settings.SIGNUP != "open":
        raise Conflict.on("", _("Someone else has just used this link, so you were not signed up."))
