"""A field that names a user of an account.

Suggestions come as one types (static/suggestions.js); without a script the browser suggests the first ones. However
many users there are, the page stays as large.
"""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import user_search
from accounts.common.errors import Invalid
from accounts.common.html_text import fill, joined
from accounts.common.translation import translate
from accounts.models import Account, RegistryUser
from accounts.names import DESCRIPTION_MAX, USERNAME_LENGTH

SUGGESTIONS = "user-suggestions"
_AROUND = """<div class="position-relative">{input}
  <datalist id="{name}-first">{options}</datalist>
  <div class="dropdown-menu w-100 overflow-auto" id="{name}-menu" hidden></div>
</div>"""


class UserInput(forms.TextInput):
    """`account` is set before it is written."""

    account: Account

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        first = user_search.suggested(self.account, "")[: user_search.SUGGESTED]
        return fill(
            _AROUND,
            input=super().render(name, value, {**(attrs or {}), **self._asking(name)}, renderer),
            name=SUGGESTIONS,
            options=joined(
                *(fill('<option value="{}"></option>', user_search.label(user)) for user in first)
            ),
        )

    def _asking(self, name: str) -> dict[str, str]:
        url = reverse("user-suggestions", args=[self.account.handle])
        return {
            "list": f"{SUGGESTIONS}-first",
            "data-suggestions": SUGGESTIONS,
            "hx-get": f"{url}?{urlencode({'field': name})}",
            "hx-trigger": "input changed delay:200ms, ask",
            "hx-target": f"#{SUGGESTIONS}-menu",
            "hx-sync": "this:replace",
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
        }


class UserField(forms.CharField):
    """Its value is a user of `account`, which the form sets; None for an empty one that is not required."""

    widget = UserInput

    def __init__(self, **more: Any) -> None:
        usual: dict[str, Any] = {
            "label": _("User"),
            "max_length": DESCRIPTION_MAX + USERNAME_LENGTH + len(" ()"),
            "help_text": _("Its description or username."),
        }
        super().__init__(**usual | more)

    def of(self, account: Account) -> None:
        self.account = self.widget.account = account

    def clean(self, value: Any) -> RegistryUser | None:
        typed = super().clean(value)
        try:
            return user_search.named(self.account, typed) if typed else None
        except Invalid as error:
            raise ValidationError(translate(error.message)) from None
