"""A select with long lists: Django renders two templates for each option, and here a function writes it."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.safestring import SafeString

from accounts.common.html_text import fill, joined

_SELECT = '<select name="{name}"{attrs}>{options}</select>'
_OPTION = '<option value="{}"{}>{}</option>'
_SELECTED = SafeString(" selected")


class Select(forms.Select):
    """Writes what Django's does, for choices without groups. Called as that one, by which its look is known."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = self.format_value(value)
        options = (
            fill(_OPTION, key, _SELECTED if key in chosen else "", text)
            for key, text in ((str(choice), text) for choice, text in self.choices)
        )
        written = flatatt(self.build_attrs(self.attrs, attrs))
        return fill(_SELECT, name=name, attrs=written, options=joined(*options))
