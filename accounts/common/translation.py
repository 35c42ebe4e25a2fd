"""Puts LazyText into the reader's language."""

from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext

from accounts.common.lazy_text import LazyText


def translate(text: str) -> str:
    """Return `text` in the current language. A plain string is looked up too: a row may keep a sentence as text."""
    if not isinstance(text, LazyText):
        return gettext(text) if text else ""
    template = gettext(text.template)
    if text.plural:
        template = ngettext(text.template, text.plural, text.values["n"])
    values = {name: _written(each) for name, each in text.values.items()}
    return template % values if values else template


def _written(value: Any) -> Any:
    if isinstance(value, LazyText):
        return translate(value)
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    return number_format(value, force_grouping=True) if isinstance(value, int | float) else value
