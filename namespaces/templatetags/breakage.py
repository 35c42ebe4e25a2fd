"""Who would be refused after a change, a sentence each."""

from datetime import datetime

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.templatetags.cells import when
from namespaces.ledger.breakage import Breakage, RefusedCaller

register = template.Library()


@register.filter
def how_many_break(breakage: Breakage) -> str:
    """Return "3 of 41 callers of the last 60 days would be refused." or that none would be."""
    words = {
        "n": intcomma(breakage.refused),
        "callers": intcomma(breakage.callers),
        "days": breakage.days,
        "day": _day(breakage.starts_at) if breakage.starts_at else "",
    }
    if not breakage.callers:
        text = ngettext(
            "No access was recorded here in the last %(days)s day.",
            "No access was recorded here in the last %(days)s days.",
            breakage.days,
        )
        return text % words
    if breakage.refused == breakage.callers == 1:
        if breakage.starts_at:
            text = ngettext(
                "From %(day)s on, requests that were allowed in the last %(days)s day would be refused:",
                "From %(day)s on, requests that were allowed in the last %(days)s days would be refused:",
                breakage.days,
            )
            return text % words
        text = ngettext(
            "Requests that were allowed in the last %(days)s day would be refused:",
            "Requests that were allowed in the last %(days)s days would be refused:",
            breakage.days,
        )
        return text % words
    if not breakage.refused:
        text = ngettext(
            "The %(callers)s caller of the last %(days)s days would lose nothing.",
            "The %(callers)s callers of the last %(days)s days would lose nothing.",
            breakage.callers,
        )
        return text % words
    if breakage.starts_at:
        text = ngettext(
            "From %(day)s on, %(n)s of %(callers)s caller of the last %(days)s days would be refused.",
            "From %(day)s on, %(n)s of %(callers)s callers of the last %(days)s days would be refused.",
            breakage.callers,
        )
        return text % words
    text = ngettext(
        "%(n)s of %(callers)s caller of the last %(days)s days would be refused.",
        "%(n)s of %(callers)s callers of the last %(days)s days would be refused.",
        breakage.callers,
    )
    return text % words


def _day(moment: datetime) -> str:
    """Return the first day without: what lasts to the end of 4 May is missing from 5 May on."""
    return date_format(timezone.localtime(moment, timezone.get_default_timezone()), "DATE_FORMAT")


@register.filter
def how_many_confirmed(breakage: Breakage) -> str:
    """Tell apart who really pulled or pushed; "" where all did."""
    if breakage.confirmed == breakage.refused:
        return ""
    if not breakage.confirmed:
        return _("As far as the registry reports, none of them pulled or pushed: they only requested tokens.")
    text = ngettext(
        "As far as the registry reports, %(n)s of them really pulled or pushed; the rest only requested tokens.",
        "As far as the registry reports, %(n)s of them really pulled or pushed; the rest only requested tokens.",
        breakage.confirmed,
    )
    return text % {"n": intcomma(breakage.confirmed)}


@register.filter
def refused_caller(caller: RefusedCaller) -> SafeString:
    """Return "CI deploy: 812 pulls, 3 pushes (team/api, team/web), last 4 min ago"."""
    if caller.user:
        name = format_html(
            '<a href="{}"><u>{}</u></a>', caller.user.get_absolute_url(), caller.user.description
        )
    elif caller.anonymous:
        name = format_html("{}", _("anonymous callers"))
    else:
        text = ngettext("%(n)s user of another account", "%(n)s users of other accounts", caller.callers)
        name = format_html("{}", text % {"n": intcomma(caller.callers)})
    sentence = _("{caller}: {uses} ({images}), last {when}")
    return format_html(
        sentence, caller=name, uses=_uses(caller), images=_images(caller), when=when(caller.last_at)
    )


def _uses(caller: RefusedCaller) -> str:
    parts = []
    if caller.pulls:
        parts.append(
            ngettext("%(shown)s pull", "%(shown)s pulls", caller.pulls) % {"shown": intcomma(caller.pulls)}
        )
    if caller.pushes:
        parts.append(ngettext("%(n)s push", "%(n)s pushes", caller.pushes) % {"n": intcomma(caller.pushes)})
    if not parts:
        text = ngettext(
            "%(n)s token, no pull or push seen", "%(n)s tokens, no pull or push seen", caller.requests
        )
        parts.append(text % {"n": intcomma(caller.requests)})
    return ", ".join(parts)


def _images(caller: RefusedCaller) -> str:
    named = ", ".join(caller.images_named)
    if not caller.images_more:
        return named
    text = ngettext("%(images)s and %(n)s more", "%(images)s and %(n)s more", caller.images_more)
    return text % {"images": named, "n": intcomma(caller.images_more)}
