"""allauth's forms that set a password: each offers to end the person's API tokens, which know nothing of passwords.

And the ones that ask for a reset link, and read it.
"""

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SetPasswordForm,
    UserTokenForm,
)
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import selectors
from accounts.models import Person
from accounts.names import clean_email
from accounts.services import api_tokens
from accounts.views.request import principal_for

NAMED = 10


class EndTokens:
    """For a form with `user`; None behind a link that no longer works."""

    user: Any
    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.user:
            return
        live = selectors.live_api_tokens_of(person_id=self.user.pk, now=timezone.now())
        if names := list(live.values_list("name", flat=True)):
            words = ngettext(
                "Revoke your API token as well", "Revoke your %(count)s API tokens as well", len(names)
            )
            self.fields["end_tokens"] = forms.BooleanField(
                required=False,
                label=words % {"count": len(names)},
                help_text=_("API tokens keep working after a password change: %(names)s")
                % {"names": ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")},
            )

    def save(self) -> None:
        with transaction.atomic():
            super().save()  # type: ignore[misc]
            if self.cleaned_data.get("end_tokens"):
                api_tokens.revoke_all(by=principal_for(self.user, context.request.META))


class ChangeForm(EndTokens, ChangePasswordForm):  # type: ignore[misc]
    pass


class SetForm(EndTokens, SetPasswordForm):  # type: ignore[misc]
    pass


class ResetForm(EndTokens, ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class AskForResetForm(ResetPasswordForm):  # type: ignore[misc]
    users: list[Person]

    def clean_email(self) -> str:
        """For nobody who only claims it as a second address of theirs: by a slip of the keys it may be a stranger's."""
        email: str = super().clean_email()
        kept = clean_email(email)
        confirmed = EmailAddress.objects.filter(email=kept, verified=True).values_list("user_id", flat=True)
        having = set(confirmed)  # asked whoever was found, so that this tells nobody
        self.users = [each for each in self.users if each.email == kept or each.pk in having]
        return email


class ResetLinkForm(UserTokenForm):  # type: ignore[misc]
    def _get_user(self, uidb36: str) -> Person | None:
        """Nobody for who is disabled: a link that was mailed before changes nothing of theirs."""
        found: Person | None = super()._get_user(uidb36)
        return found if found and found.is_active else None
