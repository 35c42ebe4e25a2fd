"""A sign-in at the provider, as allauth wants it."""

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest

from accounts.names import clean_email
from accounts.sso.identity import Identity
from accounts.sso_sessions import PROVIDER


def address_of(who: Identity) -> str:
    """Return the address as it is kept; "" for none, and for what no mail can be sent to."""
    email = clean_email(who.email)
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email


def login_of(request: HttpRequest, who: Identity, *, next_url: str) -> SocialLogin:
    """Return it unsaved. Of the claims only what the panel uses is kept."""
    kept = {
        "uid": who.uid,
        "email": address_of(who),
        "email_verified": who.email_verified,
        "name": who.name,
        "groups": list(who.groups),
        "groups_left_out": who.groups_left_out,
    }
    login = (
        get_adapter(request)
        .get_provider(request, PROVIDER)
        .sociallogin_from_response(request, {"userinfo": kept})
    )
    login.state = {"process": AuthProcess.LOGIN, "next": next_url or None}
    return login
