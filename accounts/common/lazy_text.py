"""Sentences as values, for modules that know no framework. PURE.

English when printed or compared; `accounts/speech.py` says them in the reader's language. Import `said` as `_`: so
makemessages finds the templates, as it does those of gettext_noop.
"""

from typing import Any, Self


class Said(str):
    """A sentence that remembers its template and values; a value may be such a sentence itself."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, values: dict[str, Any]) -> Self:
        self = super().__new__(cls, template % values if values else template)
        self.template = template
        self.values = values
        return self


def said(template: str, /, **values: Any) -> Said:
    return Said(template, values)


def packed(text: Any) -> Any:
    """For JSON: `[template, {name: value}]`; what needs no template, as it is."""
    if not isinstance(text, Said) or not text.values:
        return text
    return [text.template, {name: packed(each) for name, each in text.values.items()}]


def unpacked(kept: Any) -> Any:
    if not isinstance(kept, list):
        return kept
    template, values = kept
    return Said(template, {name: unpacked(each) for name, each in values.items()})
