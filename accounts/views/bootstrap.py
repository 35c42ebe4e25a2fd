"""The one-time link that makes the first operator."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import selectors
from accounts.common.errors import NotFound
from accounts.services import people
from accounts.views import opened_links
from accounts.views.request import principal


@require_safe
@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    return opened_links.open_link(
        request, opened_links.OPERATOR, lambda: people.find_operator_link(text=token)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def bootstrap(request: HttpRequest) -> HttpResponse:
    """Show the link, which changes nothing; it is spent by the button, and the button wants somebody signed in."""
    link = opened_links.operator_link(request)
    if not link:
        return opened_links.invalid(request, opened_links.OPERATOR)
    if request.method == "POST" and request.user.is_authenticated:
        try:
            people.make_first_operator(by=principal(request), link=link)
        except NotFound:  # two clicks raced for one link
            return opened_links.invalid(request, opened_links.OPERATOR)
        opened_links.forget(request, opened_links.OPERATOR)
        messages.success(request, _("You are now the operator. Next, create an account for your images."))
        return redirect("home" if selectors.accounts_of(person_id=request.user.pk) else "account-create")
    return render(request, "accounts/bootstrap.html", {"signup": link.reserved_for_id is None})
