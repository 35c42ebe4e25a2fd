"""allauth's form for signing up: a taken address costs, and uses up, what a free one does."""

from typing import Any

from allauth.account.forms import SignupForm
from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.http import HttpRequest

from accounts.allauth_adapter import reserve_link
from accounts.models import Person


class SignUpForm(SignupForm):  # type: ignore[misc]
    def try_save(self, request: HttpRequest) -> Any:
        """Do for an address that has an account the same work: hash a password, and reserve the link.

        Else time, and the link that was followed, would tell the two apart: whether a mail goes out or not, and also to
        who is told to come again, as when a hash has no place in the line.
        """
        if self.account_already_exists:
            make_password("")
            email = self.cleaned_data["email"]
            if person := Person.objects.filter(Q(email=email) | Q(emailaddress__email=email)).first():
                reserve_link(request, person)
        return super().try_save(request)
