"""The rows of the list of what was changed in an account."""

from collections.abc import Iterable
from itertools import starmap

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.audit_line import AuditLine
from accounts.common.html_text import fill, joined
from accounts.models import AuditEvent
from accounts.templatetags import cells, formatting

register = template.Library()

_ROW = """<tr>
  <td class="text-break"><div>
    <span class="fw-semibold">{actor}</span> {deed} {object} {details}
  </div></td>
  <td data-label="{from_label}" class="font-monospace small">{address}</td>
  <td data-label="{when_label}">{when}</td>
</tr>
"""
_OBJECT = '<span class="fw-semibold">{}</span>'
_DETAILS = """<details><summary class="text-secondary small">{}</summary>
  <dl class="facts small">{}</dl>
</details>"""
# By whether there was a value before, and is one after.
_CHANGES = {
    (False, False): '<dt>{}</dt><dd><span class="text-secondary">—</span></dd>',
    (False, True): "<dt>{0}</dt><dd><ins>{2}</ins></dd>",
    (True, False): "<dt>{}</dt><dd><del>{}</del></dd>",
    (True, True): "<dt>{}</dt><dd><del>{}</del> → <ins>{}</ins></dd>",
}


@register.simple_tag
def activity_rows(lines: Iterable[AuditLine]) -> SafeString:
    from_label, when_label, details_text = _("From"), _("When"), _("Details")

    def write(line: AuditLine) -> SafeString:
        event = line.event
        invited = event.object_kind == "invitation"
        changes = joined(*starmap(_change, line.changes))
        return fill(
            _ROW,
            from_label=from_label,
            when_label=when_label,
            actor=event.actor,
            deed=line.deed,
            object=formatting.word(event.object) if invited else fill(_OBJECT, _object(event)),
            details=fill(_DETAILS, details_text, changes) if changes else "",
            address=event.address,
            when=cells.when(event.at),
        )

    return joined(*map(write, lines))


def _object(event: AuditEvent) -> str:
    """Return what was changed; a grant is stored as "CI deploy (wsbq5k5ysqyt) on team/app"."""
    user, on, where = event.object.rpartition(" on ")
    if event.object_kind != "grant" or not on:
        return event.object
    return _("%(user)s on %(where)s") % {"user": user, "where": where}


def _change(name: str, before: str | None, after: str | None) -> SafeString:
    return fill(_CHANGES[before is not None, after is not None], name, before, after)
