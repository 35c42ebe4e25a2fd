"""Sentences that are translated later, for modules that know no framework and for rows that every reader sees. PURE.

A LazyText is its English sentence; `accounts/common/translation.py` puts it into the reader's language, and
`accounts/models/lazy_text_field.py` keeps it in a row. Import `lazy` as `_` and `lazy_plural` as `ngettext`, so that
makemessages finds the templates.
"""

from collections.abc import Iterable
from datetime import date
from functools import reduce
from typing import Any, Self

JOINED = "%(first)s %(next)s"


class LazyText(str):
    """A sentence that remembers its template and values: text, numbers, days, and such sentences themselves.

    With a `plural`, the value `n` decides between the two templates. English as printed has days in ISO 8601.
    """

    __slots__ = ("plural", "template", "values")
    template: str
    values: dict[str, Any]
    plural: str

    def __new__(cls, template: str, values: dict[str, Any], plural: str = "") -> Self:
        words = plural if plural and values["n"] != 1 else template
        self = super().__new__(cls, words % _written(values) if values else template)
        self.template = template
        self.values = values
        self.plural = plural
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.template, self.values, self.plural)


def lazy(template: str, /, **values: Any) -> LazyText:
    return LazyText(template, values)


def lazy_plural(singular: str, plural: str, n: int, /, **values: Any) -> LazyText:
    return LazyText(singular, values | {"n": n}, plural)


def verbatim(text: str) -> LazyText:
    """Return what is in no language, as names are: nobody translates a tag that happens to be called "all"."""
    return LazyText("%(text)s", {"text": text})


def joined(texts: Iterable[str], template: str = JOINED) -> str:
    """Return them one after the other, "" for none. `template` joins two of them, `first` and `next`."""
    given = [text for text in texts if text]
    return reduce(lambda first, each: lazy(template, first=first, next=each), given) if given else ""


def to_json(text: Any) -> Any:
    """For JSON: `[template, {name: value}]`, and its plural if it has one; what needs no template, as it is."""
    return _packed(text) if isinstance(text, LazyText) and text.values else text


def _packed(value: Any) -> Any:
    """Keep the template of each sentence among values: plain values are not looked up in catalogues."""
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if not isinstance(value, LazyText):
        return value
    values = {name: _packed(each) for name, each in value.values.items()}
    return [value.template, values, *([value.plural] if value.plural else [])]


def from_json(kept: Any) -> Any:
    if isinstance(kept, dict):
        return date.fromisoformat(kept["day"])
    if not isinstance(kept, list):
        return kept
    template, values, *plural = kept
    return LazyText(template, {name: from_json(each) for name, each in values.items()}, *plural)


def _written(values: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{each:,}" if isinstance(each, int | float) else each for name, each in values.items()}
