"""Who calls the API: a person, by an API token or by the session of the panel. Never a user of the registry."""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import api_token_uses
from accounts.common.client_ip import Origin, client_address
from accounts.common.user_agent import browser
from accounts.models import ApiToken, Person
from accounts.services import api_tokens


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer rma_…`. Any other Authorization header is refused and never falls back."""

    def authenticate(self, request: Request) -> tuple[Person, ApiToken] | None:
        header = get_authorization_header(request)
        if not header:
            return None
        scheme, _space, text = header.decode("latin-1").partition(" ")
        token = None
        if scheme.lower() == "bearer":
            token = api_tokens.find(text=text.strip(), now=(now := timezone.now()))
        if not token:
            raise AuthenticationFailed(_("This is not a valid API token."))
        origin = Origin(client_address(request.META), browser(request.META.get("HTTP_USER_AGENT", "")), now)
        api_token_uses.note(token, origin)
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="registry-manager"'


class PersonSessionAuthentication(SessionAuthentication):
    """The panel's own session; every write carries the CSRF token (X-CSRFToken)."""
