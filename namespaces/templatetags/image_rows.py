"""The rows of a list of images."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.html_text import fill, joined, prefill
from accounts.common.url_pattern import url_pattern
from accounts.models import Account
from accounts.templatetags import formatting
from accounts.templatetags.cells import Cells
from namespaces.listing.image_list import ImageRow
from namespaces.templatetags.manifest_cells import platform_chips, pusher

register = template.Library()

_ROW = """<tr>
  <td class="text-break">{name}</td>
  <td class="text-break" data-label="{newest_label}"><span class="font-monospace">{newest}</span></td>
  <td data-label="{platforms_label}">{platforms}</td>
  <td data-label="{tags_label}" class="text-md-end">{tags}</td>
  <td data-label="{size_label}" class="text-md-end">{size}</td>
  <td data-label="{pushed_label}">{pushed}</td>
  <td class="text-break" data-label="{by_label}">{by}</td>
</tr>
"""
_CHOOSE = """<span class="d-flex gap-2">
    <input class="form-check-input" type="checkbox" name="image" value="{}" form="chosen-images" aria-label="{}">
    {}</span>"""

_DESCRIBED = '<span>{}<span class="d-block text-secondary small">{}</span></span>'


@register.simple_tag
def image_rows(account: Account, rows: Iterable[ImageRow], may_remove: bool) -> SafeString:
    image_urls = {
        name: url_pattern("image", account.handle, name)
        for name in {row.image.namespace__name for row in rows}
    }
    user_url = url_pattern("user", account.handle)
    pattern = prefill(
        _ROW,
        newest_label=_("Newest tag"),
        platforms_label=_("Platforms"),
        tags_label=_("Tags"),
        size_label=_("Size"),
        pushed_label=_("Pushed"),
        by_label=_("By"),
    )
    cells, select = Cells(), _("Select %(name)s")
    unknown = fill('<span class="text-secondary" title="{}">—</span>', _("unknown"))

    def write(row: ImageRow) -> SafeString:
        image, tag = row.image, row.tag
        repository = row.repository
        name = fill(
            '<a class="fw-semibold" href="{}">{}</a>',
            image_urls[image.namespace__name](image.name),
            formatting.breaking(repository),
        )
        if row.description:
            name = fill(_DESCRIBED, name, row.description)
        pushed_by = tag.pushed_by if tag else ""
        return fill(
            pattern,
            name=fill(_CHOOSE, repository, select % {"name": repository}, name) if may_remove else name,
            newest=image.latest_tag,
            platforms=platform_chips(tag, tag.name) if tag else "",
            tags=image.tag_count,
            size=cells.counted(image.size, tag.platforms if tag else ""),
            pushed=cells.when(image.pushed_at),
            by=pusher(tag.pusher if tag else None, user_url(pushed_by), pushed_by, row.restored_by)
            or unknown,
        )

    return joined(*map(write, rows))
