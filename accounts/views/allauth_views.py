"""A person's own addresses and sessions: allauth's pages, but looking at them writes nothing."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator

from accounts.session_store import SessionStore


@method_decorator(login_required, name="dispatch")
class Addresses(EmailView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Write nothing on GET, where allauth first makes a row of the address that the person has."""
        writes = request.method not in ("GET", "HEAD")
        self._did_send_verification_email = False
        above: Any = super() if writes else super(EmailView, self)
        answer: HttpResponse = above.dispatch(request, *args, **kwargs)
        return answer

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**more)
        user = self.request.user
        rows = context["emailaddresses"] or [EmailAddress(user=user, email=user.email, primary=True)]
        confirmed = any(each.verified for each in rows)
        # As allauth: a confirmed address gives way to no other.
        may_be_primary = [not each.primary and (each.verified or not confirmed) for each in rows]
        return context | {"addresses": list(zip(rows, may_be_primary, strict=True))}


@method_decorator(login_required, name="dispatch")
class Sessions(ListUserSessionsView):  # type: ignore[misc]
    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Leave out those that ended, whose rows allauth would delete here; the worker does (session_store.py)."""
        found = UserSession.objects.filter(user=self.request.user).order_by("created_at")
        now = self.request.user.get_session_auth_hash()
        sessions = [each for each in found if constant_time_compare(_began_with(each), now)]
        context: dict[str, Any] = super(ListUserSessionsView, self).get_context_data(**more)
        return context | {"sessions": sessions, "session_count": len(sessions)}


def _began_with(row: UserSession) -> str:
    """Return the hash of the password it was begun with; "" of one that ended."""
    return str(SessionStore(row.session_key).get(HASH_SESSION_KEY, ""))


addresses = Addresses.as_view()
sessions = Sessions.as_view()
