"""Who may sign up, and how sign-in pages behave (django-allauth's adapter)."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import operator_link
from accounts.addresses import client_address
from accounts.errors import Absent, Conflict
from accounts.services import members, people

# Session keys under which a link that was opened before signing up is remembered.
INVITATION_KEY = "invitation_link"
OPERATOR_KEY = "operator_link"


class PanelAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP == "open" or _holds_operator_link(request) or (
            settings.SIGNUP == "invite" and _holds_invitation(request)
        )  # fmt: skip

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError:  # the form found the address free a moment ago
            raise Conflict.on("email", _("Somebody has just signed up with this address.")) from None

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return _link_followed(request) or str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return _link_followed(request) or str(super().get_signup_redirect_url(request))

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request.META)

    def render_mail(
        self, template_prefix: str, email: Any, context: dict[str, Any], headers: Any = None
    ) -> Any:
        """Nothing in a mail comes from the request's Host: even an allowed one has a port of anybody's choice."""
        links = {name: _public(link) for name, link in context.items() if name.endswith("_url")}
        domain = urlsplit(settings.PUBLIC_URL).netloc
        context.update(links, current_site={"name": "Registry Manager", "domain": domain})
        return super().render_mail(template_prefix, email, context, headers)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth counts per Host, which would give a guesser new attempts for every port."""
        return str(credentials.get("email", "")).lower()


def _public(link: str) -> str:
    parts = urlsplit(link)
    return settings.PUBLIC_URL + urlunsplit(("", "", parts.path, parts.query, parts.fragment))


def _link_followed(request: HttpRequest) -> str:
    """The page of the link that brought the person here, to be confirmed now that they are signed in."""
    if _holds_operator_link(request):
        return reverse("first", args=[request.session[OPERATOR_KEY]])
    if _holds_invitation(request):
        return reverse("invitation", args=[request.session[INVITATION_KEY]])
    return ""


def _holds_operator_link(request: HttpRequest) -> bool:
    text = request.session.get(OPERATOR_KEY, "")
    return people.is_operator_link(text=text, kept=operator_link.kept())


def _holds_invitation(request: HttpRequest) -> bool:
    try:
        members.find_invitation(text=request.session.get(INVITATION_KEY, ""), now=timezone.now())
    except Absent:
        return False
    return True
