"""The rows of a list of denied requests."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.html_text import fill, fill_text, joined, prefill
from accounts.common.translation import translate
from accounts.common.url_pattern import url_pattern
from accounts.templatetags import formatting
from accounts.templatetags.cells import Cells, origin
from accounts.templatetags.cells import state as write_state
from namespaces.names import is_repository, split

register = template.Library()

_ROW = """<tr>
  {who}{what}<td class="whole" data-label="{why_label}"><div>{state}{reason}{remedy}</div></td>
  <td class="whole" data-label="{last_label}"><div>{last}<span
    class="d-block text-secondary small text-break">{often} {origin}</span></div></td>
  <td class="text-md-end text-nowrap d-print-none whole">{fix}</td>
</tr>
"""
_WHO = """<td class="text-break"><div><a class="fw-semibold" href="{url}">{description}</a>{under}</div></td>
  """
_WHAT = """<td class="text-break what whole" data-label="{label}"><div><span
    class="fw-semibold text-nowrap">{action}</span>{under}</div></td>
  """
_UNDER = '<span class="d-block text-secondary small">{}</span>'
_LINK = '<a href="{}">{}</a>'
_FIX = '<a class="btn btn-sm" href="{}" aria-label="{}">{}</a>'


class _Rows:
    """What the rows of one list share, looked up once."""

    def __init__(self, handle: str, *, by_user: bool, by_what: bool) -> None:
        self.by_user, self.by_what = by_user, by_what
        self.cells = Cells()
        self.user_url = url_pattern("user", handle)
        self.image_urls = cache(lambda namespace: url_pattern("image-access", handle, namespace))
        self.pattern = prefill(
            _ROW, why_label=_("Why, and what would change it"), last_label=_("Last denied")
        )
        self.what_label, self.signing_in = _("What"), _("signing in")
        self.layers, self.first_text = _("layers of %(images)s"), _("%(count)s×, first %(first)s")
        self.allowed = fill("{}<br>", write_state(_("allowed now"), "good"))
        self.continued = fill("{}<br>", write_state(_("the push continued"), "none"))
        self.fix_label = _("%(fix)s: %(user)s, %(what)s")

    def write(self, row: Any) -> SafeString:
        sources = (
            fill(_UNDER, fill_text(self.layers, images=", ".join(row.source_names))) if row.sources else ""
        )
        who = what = SafeString()
        if self.by_user:
            under = SafeString() if self.by_what else self._action(row, sources)
            url = self.user_url(row.user.username)
            who = fill(_WHO, url=url, description=row.user.description, under=under)
        if self.by_what:
            under = joined(self._image(row), SafeString(sources))
            action = formatting.word(row.action) if row.repository else self.signing_in
            what = fill(_WHAT, label=self.what_label, action=action, under=under)
        return fill(
            self.pattern,
            who=who,
            what=what,
            state=self._state(row),
            reason=translate(row.reason),
            remedy="" if row.allowed_now else fill(_UNDER, translate(row.remedy)),
            last=self.cells.when(row.last_at),
            often=self._often(row),
            origin=origin(row.address, row.client),
            fix=self._fix(row),
        )

    def _often(self, row: Any) -> SafeString:
        if row.count == 1:
            return SafeString("1×")
        count = number_format(row.count, force_grouping=True)
        return fill_text(self.first_text, count=count, first=self.cells.when(row.first_at))

    def _action(self, row: Any, sources: str) -> SafeString:
        return joined(fill(_UNDER, formatting.word(row.action)), SafeString(sources))

    def _image(self, row: Any) -> SafeString:
        if not row.repository:
            return SafeString()
        name = formatting.breaking(row.repository)
        if not (row.own_repository and is_repository(row.repository)):
            return fill(_UNDER, name)
        namespace, image_name = split(row.repository)
        return fill(_UNDER, fill(_LINK, self.image_urls(namespace)(image_name), name))

    def _state(self, row: Any) -> SafeString:
        if row.allowed_now:
            return self.allowed
        return self.continued if row.is_mount else SafeString()

    def _fix(self, row: Any) -> SafeString:
        if not row.fix:
            return SafeString()
        what = f"{formatting.word(row.action)} {row.repository}" if row.repository else self.signing_in
        label = self.fix_label % {"fix": row.fix.text, "user": row.user.description, "what": what}
        return fill(_FIX, row.fix.url, label, row.fix.text)


@register.simple_tag(takes_context=True)
def denial_rows(context: RequestContext, rows: Iterable[Any], *, by_user: bool, by_what: bool) -> SafeString:
    shared = _Rows(context["account"].handle, by_user=by_user, by_what=by_what)
    return joined(*map(shared.write, rows))
