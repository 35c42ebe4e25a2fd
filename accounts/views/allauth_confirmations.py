"""Asked before allauth's page removes an email address."""

from allauth.account.models import EmailAddress
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.common.errors import NotFound
from accounts.views.confirmation import Question, ask
from accounts.views.request import PersonRequest


@login_required
@require_safe
def remove_email(request: PersonRequest) -> HttpResponse:
    found = EmailAddress.objects.filter(user=request.user, email=request.GET.get("email", "")).first()
    if not found:
        raise NotFound
    return ask(request, Question(
        title=_("Remove %(email)s?") % {"email": found.email},
        stops=[_("You can no longer sign in with it, and no messages are sent to it.")],
        button=_("Remove address"), back=reverse("account_email"), act=reverse("account_email"),
        fields={"email": found.email, "action_remove": ""},
    ))  # fmt: skip
