"""The smallest pieces of a page, by the hundred in a list: moments, sizes, digests, states, copy buttons.

They are functions because an included template costs ten times as much, and a list has some of each in every row.
"""

from datetime import datetime

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from accounts import reader_preferences
from accounts.common import time_zones, timestamps
from accounts.common.html_text import fill
from accounts.templatetags import formatting

register = template.Library()


@register.simple_tag
def when(moment: datetime | None, never: str = "") -> SafeString:
    """Write a moment: relative, exact in the title; or exact, for who reads it so. `never` is the word for None."""
    if not moment:  # a template passes "" for what it does not know
        return fill('<span class="text-secondary">{}</span>', never or gettext("never"))
    exact = time_zones.exact(moment, timezone.get_current_timezone())
    if reader_preferences.exactly():
        here, _dot, behind = exact.partition(" · ")
        utc = fill(' <span class="text-nowrap text-secondary">· {}</span>', behind) if behind else ""
        return fill(
            '<time datetime="{}"><span class="text-nowrap">{}</span>{}</time>',
            formatting.local(moment).isoformat(),
            here,
            utc,
        )
    return fill(
        '<time class="text-nowrap" datetime="{}" title="{}" data-relative>{}</time>',
        formatting.local(moment).isoformat(),
        exact,
        formatting.relative(moment),
    )


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
    day = timestamps.last_day(moment, timezone.get_default_timezone()) if moment else None
    if not moment or not day:
        return when(moment, never)
    title = gettext("until 24:00 of this day: %(moment)s") % {
        "moment": time_zones.exact(moment, timezone.get_current_timezone())
    }
    return fill(
        '<time class="text-nowrap" datetime="{}" title="{}">{} <span class="text-secondary">{}</span></time>',
        timezone.localtime(moment).isoformat(),
        title,
        time_zones.day(day, get_language()),
        settings.TIME_ZONE,
    )


@register.simple_tag(name="size")
def exact_size(size_bytes: int | None) -> SafeString:
    """Write a size in base-10 units, exact in the title."""
    if not isinstance(size_bytes, int):
        return _nothing()
    return fill(
        '<span class="text-nowrap" title="{} {}">{}</span>',
        str(size_bytes),
        gettext("bytes"),
        formatting.size(size_bytes),
    )


@register.simple_tag
def counted(size_bytes: int | None, things: object, why: str = "") -> SafeString:
    """As `size`, but a dash where `things` are there and their bytes are not known, and `why`."""
    if size_bytes or (not things and size_bytes is not None):
        return exact_size(size_bytes)
    why = why or gettext("not counted yet")
    return fill('<span class="text-secondary" title="{}">{}</span>', why, formatting.NOTHING)


@register.simple_tag
def digest(digest: str | None, url: str = "") -> SafeString:
    """Twelve digits of a digest, a link where there is a page for it; all of it in the title and the copy."""
    if not digest:
        return _nothing()
    shown = (
        '<a class="font-monospace" href="{}" title="{}">{}</a>'
        if url
        else '<span class="font-monospace" title="{1}">{2}</span>'
    )
    return fill(
        '<span class="text-nowrap">{}{}</span>',
        fill(shown, url, digest, formatting.short_digest(digest)),
        copy(digest, gettext("Copy the digest")),
    )


@register.simple_tag
def copy(text: str, what: str = "") -> SafeString:
    """Write a copy button (absent without JavaScript). `what` is its accessible name, "Copy the pull command"."""
    return fill(
        '<button type="button" class="copy needs-js" data-copy="{}" aria-label="{what}" title="{what}"></button>',
        text,
        what=what or gettext("Copy"),
    )


@register.simple_tag
def command(text: str, what: str = "") -> SafeString:
    """Write a command to run, of one or several lines, with its copy button; `what` as in `copy`."""
    button = copy(text, what or gettext("Copy the command"))
    return fill('<div class="command"><pre tabindex="0"><code>{}</code></pre>{}</div>', str(text), button)


@register.simple_tag
def state(text: object, tone: str = "none") -> SafeString:
    """Write a fact with its colour and its word.

    `tone`: good (proven by a recent fact), warn (expiring, stale, partial), bad (refused, failed, expired) or none
    (never happened).
    """
    return fill('<span class="state state-{}">{}</span>', tone, text)


@register.simple_tag
def level(level: object) -> SafeString:
    """Write a level of access, given a Level or its name."""
    return fill('<span class="chip chip-{}">{}</span>', formatting.plain_word(level), formatting.word(level))


def _nothing() -> SafeString:
    return fill('<span class="text-secondary">{}</span>', formatting.NOTHING)
