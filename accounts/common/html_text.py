"""HTML written by functions, for what a list repeats in every row."""

import html
import re
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString


def fill(pattern: str, /, *args: object, **values: object) -> SafeString:
    """Return what `format_html` does, at a third of its cost: `fill("<b>{}</b>", text)`."""
    return SafeString(
        pattern.format(*map(_escaped, args), **{name: _escaped(value) for name, value in values.items()})
    )


def prefill(pattern: str, **values: object) -> str:
    """Return the pattern with some of its places filled, for `fill` to fill the others row by row."""
    written = {name: _escaped(value).replace("{", "{{").replace("}", "}}") for name, value in values.items()}
    # All at once: a value that looks like a place is none.
    return re.sub(r"{(\w+)}", lambda place: written.get(place[1], place[0]), pattern)


def fill_text(text: str, **values: object) -> SafeString:
    """Fill a translated text, "from %(address)s", with values that are HTML already or are escaped."""
    return SafeString(_escaped(text) % {name: _escaped(value) for name, value in values.items()})


def joined(*pieces: SafeString) -> SafeString:
    return SafeString("".join(pieces))


def _escaped(value: Any) -> str:
    if type(value) is SafeString:
        return value
    if type(value) is str:
        return html.escape(value)
    return str(value) if type(value) is int else conditional_escape(value)
