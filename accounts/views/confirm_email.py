"""Confirming an address: the key goes from the mail's link to the session, and the page's own address is without it."""

from typing import Any

from allauth.account.views import ConfirmEmailView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

PAGE = "address"  # what stands where the key stood
SESSION_KEY = "confirm_email_key"


class ConfirmEmail(ConfirmEmailView):  # type: ignore[misc]
    def get(self, request: HttpRequest, *_args: Any, key: str) -> HttpResponse:
        page: HttpResponse = super().get(request)
        if key == PAGE or not self.object:  # a key that is worth nothing may stand in any address
            return page
        if request.method != "HEAD":
            request.session[SESSION_KEY] = key
        response = redirect("account_confirm_email", PAGE)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def get_object(self, queryset: Any = None) -> Any:
        if self.kwargs["key"] == PAGE:
            self.kwargs["key"] = self.request.session.get(SESSION_KEY, "")
        return super().get_object(queryset)


confirm_email = ConfirmEmail.as_view()
