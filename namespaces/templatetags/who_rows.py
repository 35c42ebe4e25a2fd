"""The rows of the list of everybody who may do something to an image."""

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.html_text import fill, fill_text, joined, prefill
from accounts.common.url_pattern import url_pattern
from accounts.templatetags import formatting
from accounts.templatetags.cells import Cells, level
from namespaces.access import Level
from namespaces.access_check import AccessAnswer, WhoMay
from namespaces.models import Grant, Namespace

register = template.Library()

_ROW = """<tr>
  <td class="text-break">{who}</td>
  <td data-label="{level_label}">{level}</td>
  <td data-label="{through_label}">{through}</td>
  <td data-label="{used_label}">{used}</td>
</tr>
"""
_WHO = '<a class="fw-semibold" href="{}">{}</a><span class="d-block text-secondary small font-monospace">{}</span>'
_LINK = '<div><a href="{}">{}</a></div>'


@register.simple_tag(takes_context=True)
def who_rows(context: RequestContext, found: WhoMay, ours: Namespace | None) -> SafeString:
    """`ours`: the namespace, if it is the account's own."""
    handle, cells = context["account"].handle, Cells()
    user_url = url_pattern("user", handle)
    pattern = prefill(
        _ROW, level_label=_("Level here"), through_label=_("Through"), used_label=_("Last used")
    )
    on_image, on_namespace = _("%(level)s on the image"), _("%(level)s on the namespace")

    def through(grant: Grant, username: str) -> SafeString:
        at = [handle, grant.namespace.name]
        if grant.image_name:
            url, text = reverse("image-access", args=[*at, grant.image_name]), on_image
        else:
            url, text = f"{reverse('permissions', args=at)}?q={username}", on_namespace
        return fill(_LINK, url, fill_text(text, level=formatting.word(grant.word)))

    def write(answer: AccessAnswer) -> SafeString:
        assert answer.user
        user = answer.user
        return fill(
            pattern,
            who=fill(_WHO, user_url(user.username), user.description or user.username, user.username),
            level=level(answer.verdict.level),
            through=joined(*(through(grant, user.username) for grant in answer.grants)),
            used=cells.when(user.last_used_at),
        )

    def everyone() -> SafeString:
        public = _("the namespace is public")
        return fill(
            pattern,
            who=fill('<span class="fw-semibold">{}</span>', _("Everyone")),
            level=level(Level.READ),
            through=fill(_LINK, reverse("namespace-settings", args=[handle, ours.name]), public)
            if ours
            else public,
            used="",
        )

    return joined(*([everyone()] if found.everyone.verdict else []), *map(write, found.users))
