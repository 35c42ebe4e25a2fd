"""Confirming an address: the key goes from the mail's link to the session, and the page's own address is without it.

A second address is confirmed by its person alone, signed in: whoever else gets the mail, by a slip of the keys or by
intent, would give their address to somebody else, or take that person's place by a reset link.
"""

from typing import Any

from allauth.account.views import ConfirmEmailView
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

PAGE = "address"  # what stands where the key stood
SESSION_KEY = "confirm_email_key"


class ConfirmEmail(ConfirmEmailView):  # type: ignore[misc]
    def get(self, request: HttpRequest, *_args: Any, key: str) -> HttpResponse:
        page: HttpResponse = super().get(request)
        if not self.object:  # a key that is worth nothing may stand in any address
            return page
        if key == PAGE:
            return self._sign_in_first() or page
        if request.method != "HEAD":
            request.session[SESSION_KEY] = key
        response = redirect("account_confirm_email", PAGE)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def post(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        self.object = self.get_object()
        answer: HttpResponse = self._sign_in_first() or super().post(request, *args, **more)
        return answer

    def _sign_in_first(self) -> HttpResponse | None:
        address = self.object.email_address
        if address.email == address.user.email or address.user_id == self.request.user.pk:
            return None
        messages.info(self.request, _("Sign in to confirm this address: only the person who added it can."))
        return redirect_to_login(reverse("account_confirm_email", args=[PAGE]))

    def get_object(self, queryset: Any = None) -> Any:
        if self.kwargs["key"] == PAGE:
            self.kwargs["key"] = self.request.session.get(SESSION_KEY, "")
        return super().get_object(queryset)


confirm_email = ConfirmEmail.as_view()
