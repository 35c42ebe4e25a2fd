"""The rows of the list that says who may do what with one image."""

from collections.abc import Iterable
from functools import cache

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.html_text import fill, fill_text, joined, prefill
from accounts.common.translation import translate
from accounts.common.url_pattern import url_pattern
from accounts.templatetags import formatting
from accounts.templatetags.cells import Cells, level, state
from namespaces.access import BLOCKED_REASONS, Verdict
from namespaces.models import Grant
from namespaces.selectors import EffectiveAccess
from namespaces.templatetags.grant_cells import GrantForms

register = template.Library()

_ROW = """<tr>
  <td class="text-break"><a class="fw-semibold" href="{url}">{description}</a><span
    class="d-block text-secondary small font-monospace">{username}</span></td>
  <td data-label="{level_label}">{level}</td>
  <td data-label="{through_label}">{through}</td>
  <td data-label="{used_label}">{used}</td>
</tr>
"""
_ON_IMAGE = (
    '<div>{} <span class="d-block text-secondary small">{}</span>'
    '<div class="hstack gap-2 flex-wrap">{} {} {}</div></div>'
)
_ON_NAMESPACE = '<div>{} {}<span class="d-block text-secondary small">{}</span></div>'


def _denied(verdict: Verdict) -> SafeString:
    """Say why the user may do nothing: it is blocked, or its grants have ended."""
    if verdict.reason in BLOCKED_REASONS:
        return state(translate(verdict.reason), "bad")
    return state(_("no access"), "bad")


@register.simple_tag(takes_context=True)
def access_rows(context: RequestContext, rows: Iterable[EffectiveAccess]) -> SafeString:
    account, namespace = context["account"], context["namespace"]
    forms, user_url = GrantForms(context), url_pattern("user", account.handle)
    permissions_url = reverse("permissions", args=[account.handle, namespace.name])
    pattern = prefill(
        _ROW, level_label=_("Level here"), through_label=_("Through"), used_label=_("Last used")
    )
    cells, word, write_level = Cells(), cache(formatting.word), cache(level)
    on_image, granted_text = _("a permission on this image"), SafeString(_("granted %(when)s"))
    on_namespace = SafeString(
        _('%(level)s on namespace <a class="fw-semibold" href="%(url)s"><u>%(name)s</u></a>')
    )

    def through(grant: Grant) -> SafeString:
        granted = fill_text(granted_text, when=cells.when(grant.created_at))
        if grant.image_name:
            changes = forms.level(grant), forms.ending(grant), forms.remove(grant)
            return fill(_ON_IMAGE, on_image, granted, *changes)
        text = fill_text(on_namespace, level=word(grant.word), url=permissions_url, name=namespace.name)
        return fill(_ON_NAMESPACE, text, forms.ending(grant) if grant.expires_at else "", granted)

    def write(row: EffectiveAccess) -> SafeString:
        user, verdict = row.user, row.verdict
        return fill(
            pattern,
            url=user_url(user.username),
            description=user.description,
            username=user.username,
            level=write_level(verdict.level) if verdict else _denied(verdict),
            through=joined(*map(through, row.grants)),
            used=cells.when(user.last_used_at),
        )

    return joined(*map(write, rows))
