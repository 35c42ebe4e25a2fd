"""A person's own addresses: allauth's page, but looking at it writes nothing."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator


@method_decorator(login_required, name="dispatch")
class Addresses(EmailView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Write nothing on GET, where allauth first makes a row of the address that the person has."""
        writes = request.method not in ("GET", "HEAD")
        self._did_send_verification_email = False
        above: Any = super() if writes else super(EmailView, self)
        answer: HttpResponse = above.dispatch(request, *args, **kwargs)
        return answer

    def post(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        """Change all or nothing: without a mail server, an address of somebody else could be made primary."""
        try:
            with transaction.atomic():
                answer: HttpResponse = super().post(request, *args, **more)
                return answer
        except IntegrityError:
            messages.error(request, get_adapter().error_messages["email_taken"])
            return redirect("account_email")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**more)
        user = self.request.user
        rows = context["emailaddresses"] or [EmailAddress(user=user, email=user.email, primary=True)]
        confirmed = any(each.verified for each in rows)
        # As allauth: a confirmed address gives way to no other.
        may_be_primary = [not each.primary and (each.verified or not confirmed) for each in rows]
        return context | {"addresses": list(zip(rows, may_be_primary, strict=True))}


addresses = Addresses.as_view()
