"""The rows of the list of what happened in an account."""

from collections.abc import Iterable
from itertools import starmap

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common import time_zones
from accounts.common.html_text import fill, fill_text, joined
from accounts.templatetags import formatting
from accounts.templatetags.cells import Cells
from namespaces.activity.lines import ActivityLine

register = template.Library()

_ROW = """<tr>
  <td class="text-break"><div>
    {actor} {deed} {object}{level}{count}{reason}
    <details><summary class="text-secondary small">{details_text}</summary>
      <dl class="facts small">{details}</dl>
    </details>
  </div></td>
  <td data-label="{from_label}" class="font-monospace small">{address}</td>
  <td data-label="{when_label}">{when}</td>
</tr>
"""
_TEXT = '<span class="fw-semibold">{}</span>'
_LINK = '<a class="fw-semibold" href="{}">{}</a>'
_FACT = "<dt>{}</dt><dd>{}</dd>"
# By whether there was a value before, and is one after.
_CHANGES = {
    (False, False): '<dt>{}</dt><dd><span class="text-secondary">—</span></dd>',
    (False, True): "<dt>{0}</dt><dd><ins>{2}</ins></dd>",
    (True, False): "<dt>{}</dt><dd><del>{}</del></dd>",
    (True, True): "<dt>{}</dt><dd><del>{}</del> → <ins>{}</ins></dd>",
}


@register.simple_tag
def activity_rows(lines: Iterable[ActivityLine]) -> SafeString:
    cells, zone = Cells(), timezone.get_current_timezone()
    labels = {"from_label": _("From"), "when_label": _("When"), "details_text": _("Details")}
    exact_label, client_label = _("exact time"), _("client")

    def write(line: ActivityLine) -> SafeString:
        entry = line.entry
        details = [*starmap(_change, line.changes)]
        if entry.client:
            details.append(fill(_FACT, client_label, entry.client))
        # Once more in full, for whoever has no pointer to rest on the short one.
        details.append(fill(_FACT, exact_label, time_zones.exact(entry.at, zone)))
        return fill(
            _ROW,
            **labels,
            actor=_linked(line.actor_url, line.actor),
            deed=line.deed,
            object=_object(line),
            level=_level(line),
            count=fill(' <span class="text-secondary text-nowrap">{}×</span>', entry.count)
            if entry.count > 1
            else "",
            reason=fill('<span class="d-block text-secondary small">{}</span>', line.reason)
            if line.reason
            else "",
            details=joined(*details),
            address=entry.address,
            when=cells.when(entry.at),
        )

    return joined(*map(write, lines))


def _object(line: ActivityLine) -> SafeString | str:
    named, entry = line.named, line.entry
    if entry.object_kind == "invitation":
        return formatting.word(entry.object)
    user, target = _linked(line.user_url, named.user_text), _linked(line.target_url, named.target_text)
    if named.user_text and named.target_text:
        return fill_text(_("%(user)s on %(where)s"), user=user, where=target)
    return (
        (user if named.user_text else "")
        or (target if named.target_text else "")
        or _linked("", entry.object)
    )


def _level(line: ActivityLine) -> SafeString | str:
    """Write the level of a permission; the link leads to where it can be changed."""
    if not line.level:
        return ""
    level = " → ".join(dict.fromkeys(filter(None, line.level)))
    return fill(" ({})", _linked(line.level_url, level))


def _linked(url: str, text: str) -> SafeString:
    return fill(_LINK, url, text) if url else fill(_TEXT, text)


def _change(name: str, before: str | None, after: str | None) -> SafeString:
    return fill(_CHANGES[before is not None, after is not None], name, before, after)
