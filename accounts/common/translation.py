"""Puts LazyText into the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext, override

from accounts.common.lazy_text import LazyText


def translate(text: str) -> str:
    """Return `text` in the current language. A plain string is looked up too: a row may keep a sentence as text."""
    if not isinstance(text, LazyText):
        return gettext(text) if text else ""
    words = gettext(text.template)
    values = {
        name: translate(each) if isinstance(each, LazyText) else each for name, each in text.values.items()
    }
    return words % values if values else words


def as_stored(text: Promise) -> str:
    """Return it in English, for a row: readers of other languages see it too, and it is translated when it is shown."""
    with override("en"):
        return str(text)
