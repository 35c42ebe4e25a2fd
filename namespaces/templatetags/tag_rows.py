"""The rows of an image's list of tags."""

from collections.abc import Iterable
from functools import cache

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.common.html_text import fill, fill_text, joined, prefill
from accounts.common.url_pattern import url_pattern
from accounts.templatetags.cells import Cells, state
from namespaces.listing.listed_tag import ListedTag
from namespaces.listing.tag_list import TagRow
from namespaces.models import NEVER, Image
from namespaces.templatetags.manifest_cells import platform_chips, pusher

register = template.Library()

_ROW = """<tr>
  <td class="text-break"><span class="d-flex gap-2">{choose}
    <span><a class="fw-semibold" href="{url}">{name}</a>{twin}{troubles}</span></span></td>
  <td data-label="{digest_label}">{digest}</td>
  <td data-label="{platforms_label}">{platforms}</td>
  <td data-label="{size_label}" class="text-md-end">{size}</td>
  <td data-label="{pushed_label}"><span>{pushed}<span class="d-block text-secondary small">{pusher}</span></span></td>
  <td data-label="{pulled_label}"><span>{pulled}{pulls}</span></td>
</tr>
"""
_CHOOSE = """
    <input class="form-check-input" type="checkbox" name="tag" value="{}" form="chosen-tags" aria-label="{}">"""
_TWIN = ' <span class="text-secondary small" title="{}">= {}</span>'
_UNDER = '<span class="d-block text-secondary small">{}</span>'


@register.simple_tag
def tag_rows(image: Image, rows: Iterable[TagRow]) -> SafeString:
    handle = image.namespace.account.handle
    tag_url = url_pattern("tag", handle, image.namespace.name, image.name)
    user_url = url_pattern("user", handle)
    pattern = prefill(
        _ROW,
        digest_label=_("Digest"),
        platforms_label=_("Platforms"),
        size_label=_("Size"),
        pushed_label=_("Pushed"),
        pulled_label=_("Last pulled"),
    )
    cells, pulls = Cells(), cache(_pulls)
    select, same_digest = _("Select %(name)s"), _("The same digest")
    not_here = _("its platforms are not in this image")
    written = [
        fill(
            pattern,
            choose=fill(_CHOOSE, tag.name, select % {"name": tag.name}),
            url=tag_url(tag.name),
            name=tag.name,
            twin=fill(_TWIN, same_digest, row.same_manifest_tag) if row.same_manifest_tag else "",
            troubles=_troubles(tag, cells) if tag.unreadable_since or tag.missing_since else "",
            digest=cells.digest(tag.manifest_id),
            platforms=platform_chips(tag, tag.name),
            size=cells.counted(tag.size, tag.platforms, not_here),
            pushed=cells.when(tag.pushed_at),
            pusher=pusher(tag.pusher, user_url(tag.pushed_by), tag.pushed_by, row.restored_by),
            pulled=cells.when(None if tag.pulled_at == NEVER else tag.pulled_at),
            pulls=pulls(tag.pull_count),
        )
        for row in rows
        for tag in [row.tag]
    ]
    return joined(*written)


def _troubles(tag: ListedTag, cells: Cells) -> SafeString:
    found = SafeString()
    if tag.unreadable_since:
        text = fill_text(_("unreadable since %(moment)s"), moment=cells.when(tag.unreadable_since))
        found += fill(_UNDER, state(text, "warn"))
    if tag.missing_since:
        found += fill(_UNDER, state(_("missing from the last list"), "warn"))
    return found


def _pulls(number: int) -> SafeString:
    if not number:
        return SafeString()
    text = ngettext("%(shown)s pull", "%(shown)s pulls", number) % {"shown": intcomma(number)}
    return fill(_UNDER, text)
