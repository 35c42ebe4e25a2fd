"""allauth's form for signing up: a taken address costs, and uses up, what a free one does."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.http import HttpRequest

from accounts.allauth_adapter import reserve_link
from accounts.models import Person
from accounts.selectors import has_person


class SignUpForm(SignupForm):  # type: ignore[misc]
    def validate_unique_email(self, value: str) -> str:
        """As allauth, but whoever only claims an address does not keep it from its owner."""
        self.account_already_exists = has_person(email=value)
        if self.account_already_exists and settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory":
            raise get_adapter().validation_error("email_taken")
        return value

    def try_save(self, request: HttpRequest) -> Any:
        """Do for an address that has an account the same work: hash a password, and reserve the link.

        Else time, and the link that was followed, would tell the two apart: whether a mail goes out or not, and also to
        who is told to come again, as when a hash has no place in the line.
        """
        if self.account_already_exists:
            make_password("")
            email = self.cleaned_data["email"]
            confirmed = Q(emailaddress__email=email, emailaddress__verified=True)
            if person := Person.objects.filter(Q(email=email) | confirmed).first():
                reserve_link(request, person)
        return super().try_save(request)
