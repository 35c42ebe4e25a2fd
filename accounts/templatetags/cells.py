"""The smallest pieces of a page, by the hundred in a list: moments, sizes, digests, states, copy buttons.

They are functions because an included template costs ten times as much, and a list has some of each in every row.
"""

from datetime import datetime
from functools import cache

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from accounts import reader_preferences
from accounts.common import time_zones, timestamps
from accounts.common.html_text import fill, fill_text, prefill
from accounts.templatetags import formatting
from accounts.templatetags.icons import icon

register = template.Library()

_RANK_CSS = {
    "write": "badge badge-outline text-primary",
    "admin": "badge bg-primary-lt",
    "owner": "badge bg-primary-lt",
}  # the others are plain

_COPY = (
    '<button type="button" class="copy needs-js" data-copy="{text}" aria-label="{what}" title="{what}">'
    "{icon}</button>"
)
_COPY_DIGEST = _COPY.replace("{text}", "{digest}")
_DIGEST = (
    '<span class="text-nowrap"><span class="font-monospace" title="{digest}">{short}</span>'
    f"{_COPY_DIGEST}</span>"
)
_LINKED_DIGEST = (
    '<span class="text-nowrap"><a class="font-monospace" href="{url}" title="{digest}">{short}</a>'
    f"{_COPY_DIGEST}</span>"
)
_NOTHING = SafeString(f'<span class="text-secondary">{formatting.NOTHING}</span>')


@cache
def _with_copy_icon() -> tuple[str, ...]:
    return tuple(prefill(pattern, icon=icon("copy")) for pattern in (_COPY, _DIGEST, _LINKED_DIGEST))


class Cells:
    """The cells of one list. The reader's zone, language and words are looked up once, not in every row."""

    def __init__(self) -> None:
        self.gettext = cache(gettext)
        self._sizes = formatting.Sizes()
        self._zone, self._language = timezone.get_current_timezone(), get_language()
        self._now, self._exactly = timezone.now(), reader_preferences.exactly()
        self._copy, self._digest, self._linked_digest = _with_copy_icon()

    def when(self, moment: datetime | None, never: str = "") -> SafeString:
        if not moment:  # a template passes "" for what it does not know
            return fill('<span class="text-secondary">{}</span>', never or self.gettext("never"))
        here = moment.astimezone(self._zone) if timestamps.sound(moment) else moment
        exact = time_zones.exact_in(moment, self._zone, self._language)
        if self._exactly:
            shown, _dot, behind = exact.partition(" · ")
            utc = fill(' <span class="text-nowrap text-secondary">· {}</span>', behind) if behind else ""
            return fill(
                '<time datetime="{}"><span class="text-nowrap">{}</span>{}</time>',
                here.isoformat(),
                shown,
                utc,
            )
        day = time_zones.day(here.date(), self._language)
        return fill(
            '<time class="text-nowrap" datetime="{}" title="{}" data-relative>{}</time>',
            here.isoformat(),
            exact,
            formatting.relative_to(moment, self._now, day),
        )

    def until(self, moment: datetime | None, never: str = "") -> SafeString:
        day = timestamps.last_day(moment, timezone.get_default_timezone()) if moment else None
        if not moment or not day:
            return self.when(moment, never)
        title = self.gettext("until 24:00 of this day: %(moment)s") % {
            "moment": time_zones.exact_in(moment, self._zone, self._language)
        }
        return fill(
            '<time class="text-nowrap" datetime="{}" title="{}">{} <span class="text-secondary">{}</span></time>',
            moment.astimezone(self._zone).isoformat(),
            title,
            time_zones.day(day, self._language),
            settings.TIME_ZONE,
        )

    def size(self, size_bytes: int | None) -> SafeString:
        if not isinstance(size_bytes, int):
            return _NOTHING
        return fill(
            '<span class="text-nowrap" title="{} {}">{}</span>',
            size_bytes,
            self.gettext("bytes"),
            self._sizes.write(size_bytes),
        )

    def counted(self, size_bytes: int | None, things: object, why: str = "") -> SafeString:
        if size_bytes or (not things and size_bytes is not None):
            return self.size(size_bytes)
        why = why or self.gettext("not counted yet")
        return fill('<span class="text-secondary" title="{}">{}</span>', why, formatting.NOTHING)

    def digest(self, digest: str | None, url: str = "") -> SafeString:
        if not digest:
            return _NOTHING
        return fill(
            self._linked_digest if url else self._digest,
            url=url,
            digest=digest,
            short=formatting.short_digest(digest),
            what=self.gettext("Copy the digest"),
        )

    def copy(self, text: str, what: str = "") -> SafeString:
        return fill(self._copy, text=text, what=what or self.gettext("Copy"))


@register.simple_tag
def when(moment: datetime | None, never: str = "") -> SafeString:
    """Write a moment: relative, exact in the title; or exact, for who reads it so. `never` is the word for None."""
    return Cells().when(moment, never)


@register.simple_tag
def clock_time(moment: datetime | None) -> SafeString:
    """Return "12:03", with the day where that is not today; nothing for None."""
    if not moment:
        return SafeString()
    local = formatting.local(moment)
    shown = time_format(local)
    if local.date() != timezone.localdate():
        shown = f"{time_zones.day(local.date(), get_language())}, {shown}"
    return fill(
        '<time class="text-nowrap" datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        time_zones.exact(moment, timezone.get_current_timezone()),
        shown,
    )


@register.simple_tag
def until(moment: datetime | None, never: str = "") -> SafeString:
    """When something ends. A whole day as that day with its zone's name, anything else as `when`."""
    return Cells().until(moment, never)


@register.simple_tag(name="size")
def exact_size(size_bytes: int | None) -> SafeString:
    """Write a size in base-10 units, exact in the title."""
    return Cells().size(size_bytes)


@register.simple_tag
def counted(size_bytes: int | None, things: object, why: str = "") -> SafeString:
    """As `size`, but a dash where `things` are there and their bytes are not known, and `why`."""
    return Cells().counted(size_bytes, things, why)


@register.simple_tag
def digest(digest: str | None, url: str = "") -> SafeString:
    """Twelve digits of a digest, a link where there is a page for it; all of it in the title and the copy."""
    return Cells().digest(digest, url)


@register.simple_tag
def copy(text: str, what: str = "") -> SafeString:
    """Write a copy button (absent without JavaScript). `what` is its accessible name, "Copy the pull command"."""
    return Cells().copy(text, what)


@register.simple_tag
def command(text: str, what: str = "") -> SafeString:
    """Write a command to run, of one or several lines, with its copy button; `what` as in `copy`."""
    button = copy(text, what or gettext("Copy the command"))
    return fill(
        '<div class="command d-flex align-items-start mb-3 bg-body border rounded">'
        '<pre class="flex-fill m-0" tabindex="0"><code>{}</code></pre>{}</div>',
        str(text),
        button,
    )


@register.simple_tag
def state(text: object, tone: str = "none") -> SafeString:
    """Write a fact with its colour and its word.

    `tone`: good (proven by a recent fact), warn (expiring, stale, partial), bad (refused, failed, expired) or none
    (never happened).
    """
    return fill('<span class="state state-{}">{}</span>', tone, text)


def origin(address: str, client: str) -> SafeString:
    """Write from where and with what, as far as that is known."""
    if address and client:
        return fill_text(gettext("from %(address)s with %(client)s"), address=address, client=client)
    return fill_text(gettext("from %(address)s"), address=address) if address else SafeString()


@register.simple_tag
def level(level: object) -> SafeString:
    """Write a level of access, given a Level or its name."""
    return _badge(level)


@register.simple_tag
def role(role: object) -> SafeString:
    """Write what a member is, given a Role or its name."""
    return _badge(role)


def _badge(rank: object) -> SafeString:
    css = _RANK_CSS.get(formatting.plain_word(rank), "badge")
    return fill('<span class="{}">{}</span>', css, formatting.word(rank))
