"""What modules that know no framework say, in the language of whoever reads it."""

from django.utils.translation import gettext

from accounts.common.lazy_text import Said


def spoken(text: str) -> str:
    """Of a sentence without values its English is enough: one that a row keeps as text can still be spoken."""
    if not isinstance(text, Said):
        return gettext(text) if text else ""
    words = gettext(text.template)
    values = {name: spoken(each) if isinstance(each, Said) else each for name, each in text.values.items()}
    return words % values if values else words
