"""How facts are written in pages: sizes, digests, times, words, and form controls."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from django import template
from django.forms import BoundField
from django.forms.boundfield import BoundWidget
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext_lazy, pgettext_lazy

from accounts import expiry
from accounts.common import time_zones, timestamps, user_agent
from accounts.common.translation import translate

register = template.Library()
register.filter("translated", translate)
register.filter("browser", user_agent.browser)


@register.filter
def client_name(client: str) -> str:
    """Of what `browser` returned, or programs call themselves."""
    return translate(user_agent.client_name(client))


NOTHING: Final = "—"
UNITS: Final = (
    gettext_lazy("%(n)s B"),
    gettext_lazy("%(n)s kB"),
    gettext_lazy("%(n)s MB"),
    gettext_lazy("%(n)s GB"),
    gettext_lazy("%(n)s TB"),
    gettext_lazy("%(n)s PB"),
)
STEP = 1000
ONE_DECIMAL_BELOW = 10
JUST_NOW_BELOW = 2
MINUTE, HOUR, DAY, MONTH = 60, 3600, 86_400, 30 * 86_400
SHORT_DIGEST = 12
BREAKS_FROM = 24  # characters
UNITS_OF_TIME: Final = (("s", 1, MINUTE), ("min", MINUTE, HOUR), ("h", HOUR, DAY), ("d", DAY, MONTH))

# Shared with panel.js (see `relative_words`), so a page reads the same before and after it starts to tick.
AGO: Final = {
    "s": gettext_lazy("%(n)s s ago"),
    "min": gettext_lazy("%(n)s min ago"),
    "h": gettext_lazy("%(n)s h ago"),
    "d": ngettext_lazy("%(n)s day ago", "%(n)s days ago", "n"),
}
AHEAD: Final = {
    "s": gettext_lazy("in %(n)s s"),
    "min": gettext_lazy("in %(n)s min"),
    "h": gettext_lazy("in %(n)s h"),
    "d": ngettext_lazy("in %(n)s day", "in %(n)s days", "n"),
}
JUST_NOW: Final = gettext_lazy("just now")

WORDS: Final[dict[str, Promise]] = {
    "none": pgettext_lazy("level", "none"),
    "read": pgettext_lazy("level", "read"),
    "write": pgettext_lazy("level", "write"),
    "admin": pgettext_lazy("level", "admin"),
    "owner": pgettext_lazy("role", "owner"),
    "manager": pgettext_lazy("role", "manager"),
    "viewer": pgettext_lazy("role", "viewer"),
    "pull": pgettext_lazy("action", "pull"),
    "push": pgettext_lazy("action", "push"),
    "delete": pgettext_lazy("action", "delete"),
    "mount": pgettext_lazy("action", "reuse layers"),
    "list": pgettext_lazy("action", "list images"),
}

CONTROLS: Final = {
    "select": "form-select",
    "selectmultiple": "form-select",
    "checkbox": "form-check-input",
    "radioselect": "form-check-input",
    "checkboxselectmultiple": "form-check-input",
}


@register.filter
def size(size_bytes: int | None) -> str:
    """Bytes in the base-10 units registries show: 312 MB, 4.1 GB. A dash when unknown."""
    return Sizes().write(size_bytes)


class Sizes:
    """Writes the sizes of one list: looks each unit up once."""

    def __init__(self) -> None:
        self._unit = cache(lambda power: str(UNITS[power]))
        self._separator = cache(lambda: get_format("DECIMAL_SEPARATOR"))

    def write(self, size_bytes: int | None) -> str:
        if size_bytes is None:
            return NOTHING
        if size_bytes < STEP:
            return self._unit(0) % {"n": size_bytes}
        amount, power = size_bytes / STEP, 1
        # 999.6 would be written "1000": it belongs to the next unit.
        while round(amount) >= STEP and power < len(UNITS) - 1:
            amount, power = amount / STEP, power + 1
        decimals = 1 if round(amount, 1) < ONE_DECIMAL_BELOW else 0
        # number_format costs ten times as much, and lists have hundreds of sizes.
        return self._unit(power) % {"n": f"{amount:.{decimals}f}".replace(".", self._separator())}


@register.filter
def short_digest(digest: str | None) -> str:
    """Return the first 12 hexadecimal digits of `sha256:…`; a dash when there is none."""
    if not digest:
        return NOTHING
    return digest.rpartition(":")[2][:SHORT_DIGEST]


@register.filter
def breaking(name: str) -> str:
    """Let a long name break after a slash before it breaks anywhere else."""
    if len(name) <= BREAKS_FROM:
        return name
    return format_html_join(SafeString("/<wbr>"), "{}", ((part,) for part in name.split("/")))


@register.filter
def relative(moment: datetime | None) -> str:
    """How long ago, or how soon: "4 s ago", "in 3 days"; the date beyond 30 days; "never" for None."""
    if moment is None:
        return gettext("never")
    return relative_to(moment, timezone.now())


def local(moment: datetime) -> datetime:
    """Return it in the current zone; as it is where it is no moment there, as an old one may be."""
    return timezone.localtime(moment) if timestamps.sound(moment) else moment


def relative_to(moment: datetime, now: datetime, day: str = "") -> str:
    """`day` is how its day is written, where the caller knows."""
    seconds = int((now - moment) / timedelta(seconds=1))
    words = AGO if seconds >= 0 else AHEAD
    distance = abs(seconds)
    if distance < JUST_NOW_BELOW:
        return str(JUST_NOW)
    if distance >= MONTH:
        return day or _day(moment)
    # What is past is not made older than it is; of what comes, a second less than seven days is seven days.
    half = 0 if seconds >= 0 else 1
    for unit, length, limit in UNITS_OF_TIME:
        number = (distance + half * (length // 2)) // length
        if number * length < limit:
            return words[unit] % {"n": number}
    return day or _day(moment)


def _day(moment: datetime) -> str:
    return time_zones.day(local(moment).date(), get_language())


@register.filter
def roughly(span: timedelta) -> str:
    """About how long: "less than a minute", "about 12 min", "about 3 h"."""
    seconds = span / timedelta(seconds=1)
    if seconds < MINUTE:
        return gettext("less than a minute")
    if seconds < HOUR:
        return gettext("about %(n)s min") % {"n": round(seconds / MINUTE)}
    return gettext("about %(n)s h") % {"n": round(seconds / HOUR)}


@register.simple_tag
def relative_words() -> str:
    """Return the words of `relative` as JSON, for the clock in panel.js."""
    return _relative_words(get_language())


@cache
def _relative_words(_language: str | None) -> str:
    words = {
        "now": str(JUST_NOW),
        "ago": _for_script(AGO),
        "ahead": _for_script(AHEAD),
    }
    return json.dumps(words, ensure_ascii=False)


def _for_script(words: Mapping[str, Promise]) -> dict[str, str | list[str]]:
    """Days by their number, since languages have up to six plurals."""
    days = [str(words["d"] % {"n": n}) for n in range(MONTH // DAY)]
    return {unit: str(text) for unit, text in words.items() if unit != "d"} | {"d": days}


@register.filter
def word(value: object) -> str:
    """Return the word for a level, a role or an action, given the enum member or its name."""
    # str() of an IntEnum member is its number, hence the name first.
    name = str(getattr(value, "name", value)).lower()
    return str(WORDS.get(name, name))


@register.filter
def plain_word(value: object) -> str:
    """Return the untranslated lower-case name of a level or a role, which never changes."""
    return str(getattr(value, "name", value)).lower()


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Write the input of a form field in our look; the first wrong field of the form takes the focus."""
    widget = field.field.widget
    classes = [str(widget.attrs.get("class", "")), CONTROLS.get(field.widget_type, "form-control")]
    if field.errors:
        classes.append("is-invalid")
    attrs: dict[str, str | bool] = {"class": " ".join(filter(None, classes))}
    if field.name == first_wrong(field):
        attrs["autofocus"] = True
    return field.as_widget(attrs=attrs)


def first_wrong(field: BoundField) -> str | None:
    if field.form.non_field_errors():
        return None
    return next((other.name for other in field.form if other.errors), None)


@register.simple_tag
def choice(option: BoundWidget) -> SafeString:
    """One radio button or checkbox of a field that has several."""
    option.data["attrs"]["class"] = "form-check-input"
    return option.tag()


@register.filter
def with_code(text: str) -> str:
    """Write what stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if number % 2 else part,) for number, part in parts)
    )


@register.simple_tag
def said_end(moment: datetime) -> str:
    """Return when something ends, as a mail says it: with the zone."""
    return expiry.said(moment)
