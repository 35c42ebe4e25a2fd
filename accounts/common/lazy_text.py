"""Sentences that are translated later, for modules that know no framework. PURE.

A LazyText is its English sentence; `accounts/common/translation.py` puts it into the reader's language. Import `lazy`
as `_`, so that makemessages finds the templates, as it does those of gettext_noop.
"""

from typing import Any, Self


class LazyText(str):
    """A sentence that remembers its template and values; a value may be such a sentence itself."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, values: dict[str, Any]) -> Self:
        self = super().__new__(cls, template % values if values else template)
        self.template = template
        self.values = values
        return self


def lazy(template: str, /, **values: Any) -> LazyText:
    return LazyText(template, values)


def to_json(text: Any) -> Any:
    """For JSON: `[template, {name: value}]`; what needs no template, as it is."""
    if not isinstance(text, LazyText) or not text.values:
        return text
    return [text.template, {name: to_json(each) for name, each in text.values.items()}]


def from_json(kept: Any) -> Any:
    if not isinstance(kept, list):
        return kept
    template, values = kept
    return LazyText(template, {name: from_json(each) for name, each in values.items()})
