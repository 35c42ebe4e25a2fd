"""The rows of the list of what was changed in an account."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.audit_line import AuditLine
from accounts.common.html_text import fill, joined
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
_CHANGE = "<dt>{}</dt><dd>{}</dd>"
_NO_VALUE = SafeString('<span class="text-secondary">—</span>')


@register.simple_tag
def activity_rows(lines: Iterable[AuditLine]) -> SafeString:
    labels = {"from_label": _("From"), "when_label": _("When")}
    details_text = _("Details")

    def write(line: AuditLine) -> SafeString:
        event = line.event
        invited = event.object_kind == "invitation"
        changes = joined(*(fill(_CHANGE, name, _change(*values)) for name, *values in line.changes))
        return fill(
            _ROW,
            **labels,
            actor=event.actor,
            deed=line.deed,
            object=formatting.word(event.object) if invited else fill(_OBJECT, event.object),
            details=fill(_DETAILS, details_text, changes) if changes else "",
            address=event.address,
            when=cells.when(event.at),
        )

    return joined(*map(write, lines))


def _change(before: str | None, after: str | None) -> SafeString:
    if before is None and after is None:
        return _NO_VALUE
    arrow = " → " if before is not None and after is not None else ""
    return fill(
        "{}{}{}",
        "" if before is None else fill("<del>{}</del>", before),
        arrow,
        "" if after is None else fill("<ins>{}</ins>", after),
    )
