"""The table that says who can do what: users by namespaces, or by the images of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.common.html_text import fill, joined
from accounts.common.url_pattern import url_pattern
from accounts.models import Account
from accounts.templatetags import formatting
from accounts.templatetags.cells import level as write_level
from accounts.templatetags.cells import state
from accounts.views.user_status import user_badge
from namespaces.access import GrantSource, UserStatus
from namespaces.access_cell import MatrixCell
from namespaces.access_matrix import Matrix, MatrixColumn, MatrixRow
from namespaces.models import Namespace

register = template.Library()

_TABLE = """<caption class="visually-hidden">{caption}</caption>
<thead><tr><th scope="col">{user}</th>{columns}</tr></thead>
<tbody>{rows}</tbody>"""
_ROW = """<tr><th scope="row">{}</th>{}</tr>
"""
_WHO = """<a class="fw-semibold" href="{}">{}</a><span class="d-block text-secondary small font-monospace">{}</span>"""
_ANYONE = '<span class="fw-semibold">{}</span><span class="d-block text-secondary small">{}</span>'
_HEAD = '<th scope="col"><a href="{}">{}</a>{}</th>'
_LINK = '<a href="{}">{}</a>'
_UNDER = '<span class="d-block text-secondary small">{}</span>'
_CELL = "<td>{}</td>"
_NONE = SafeString(f"<td>{formatting.NOTHING}</td>")


@dataclass(frozen=True, slots=True)
class _Links:
    """Where the cells of a column lead: by the source of a level, and where its permissions of one user are listed."""

    by_source: dict[GrantSource, str]
    permissions: str


@register.simple_tag(takes_context=True)
def matrix_table(context: RequestContext, matrix: Matrix, opened: Namespace | None) -> SafeString:
    """Write head and rows. `opened`: the namespace whose images are the columns."""
    writer = _Writer(context["account"], opened)
    links = [*map(writer.links, matrix.columns)]
    return fill(
        _TABLE,
        caption=_("What each user may do with each image")
        if opened
        else _("What each user may do in each namespace"),
        user=_("User"),
        columns=joined(*map(writer.head, matrix.columns)),
        rows=joined(*(writer.row(row, links) for row in matrix.rows)),
    )


class _Writer:
    """Writes one table. Words, levels and addresses are looked up once."""

    def __init__(self, account: Account, opened: Namespace | None) -> None:
        self._handle, self._opened, self._now = account.handle, opened, timezone.now()
        self._user_url = url_pattern("user", account.handle)
        self._level, self._word = cache(write_level), cache(formatting.word)
        self._matrix_url = reverse("access-matrix", args=[account.handle])
        self._sources = {
            GrantSource.NAMESPACE: fill(_UNDER, _("namespace")),
            GrantSource.IMAGE: fill(_UNDER, _("image")),
            GrantSource.PUBLIC: fill(_UNDER, _("public")),
        }

    def links(self, column: MatrixColumn) -> _Links:
        at = [self._handle, column.namespace.name]
        permissions = reverse("permissions", args=at) + "?q="
        by_source = {
            GrantSource.NAMESPACE: permissions,
            GrantSource.PUBLIC: reverse("namespace-settings", args=at),
        }
        if column.image_name:
            by_source[GrantSource.IMAGE] = reverse("image-access", args=[*at, column.image_name])
        return _Links(by_source, permissions)

    def head(self, column: MatrixColumn) -> SafeString:
        name, at = column.namespace.name, [self._handle, column.namespace.name]
        if column.image_name:
            url = reverse("image-access", args=[*at, column.image_name])
            return fill(_HEAD, url, formatting.breaking(column.image_name), "")
        public = fill(_UNDER, state(_("public"))) if column.namespace.public else SafeString()
        if self._opened:
            return fill(_HEAD, reverse("permissions", args=at), _("whole namespace"), public)
        images = fill(
            _UNDER,
            fill(
                '<a href="{}?{}" aria-label="{}">{}</a>',
                self._matrix_url,
                urlencode({"namespace": name}),
                _("Images of %(name)s") % {"name": name},
                _("Images"),
            ),
        )
        return fill(_HEAD, reverse("permissions", args=at), name, joined(public, images))

    def row(self, row: MatrixRow, links: Sequence[_Links]) -> SafeString:
        name = row.user.username if row.user else ""
        cells = (self._cell(cell, each, name) for cell, each in zip(row.cells, links, strict=True))
        return fill(_ROW, self._who(row), joined(*cells))

    def _who(self, row: MatrixRow) -> SafeString:
        user = row.user
        if not user:
            return fill(_ANYONE, _("Everyone"), _("not signed in"))
        who = fill(_WHO, self._user_url(user.username), user.description or user.username, user.username)
        if row.status is UserStatus.ACTIVE:
            return who
        badge = user_badge(user, self._now)
        return joined(who, state(badge.text, badge.tone))

    def _cell(self, cell: MatrixCell, links: _Links, username: str) -> SafeString:
        """`username`: "" for whoever is not signed in."""
        own = f"{links.permissions}{username}"
        if cell.blocked_level:
            text = _("(%(level)s)") % {"level": self._word(cell.blocked_level.word)}
            return fill(_CELL, fill(_LINK, own, text))
        if not cell.level and not cell.image_count:
            return _NONE
        whole, images = SafeString(formatting.NOTHING), SafeString()
        if cell.source:
            url = links.by_source[cell.source] + (username if cell.source is GrantSource.NAMESPACE else "")
            whole = joined(fill(_LINK, url, self._level(cell.level)), self._sources[cell.source])
        if cell.image_count:
            count = ngettext("+%(n)s image: %(level)s", "+%(n)s images: %(level)s", cell.image_count)
            text = count % {"n": cell.image_count, "level": self._word(cell.image_level.word)}
            images = fill(_UNDER, fill(_LINK, own, text))
        return fill(_CELL, joined(whole, images))
