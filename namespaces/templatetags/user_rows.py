"""The rows of the list of users."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.html_text import fill, joined, prefill
from accounts.common.url_pattern import url_pattern
from accounts.models import Account, RegistryUser, Secret
from accounts.templatetags.cells import Cells, origin
from accounts.templatetags.cells import state as write_state

register = template.Library()

_ROW = """<tr>
  <td class="text-break"><div>
    <a class="fw-semibold" href="{url}">{description}</a>
    <span class="d-block text-secondary small font-monospace">{username} {copy}</span>
  </div></td>
  <td class="text-break" data-label="{may_label}">{may}</td>
  <td data-label="{used_label}"><div>{used}{used_from}</div></td>
  <td data-label="{expires_label}">{expires}</td>
  <td data-label="{state_label}">{state}</td>
</tr>
"""
_SOON = '<span class="state state-warn" data-title-note="{}">{}</span>'


@register.simple_tag
def user_rows(account: Account, rows: Iterable[dict[str, Any]]) -> SafeString:
    user_url = url_pattern("user", account.handle)
    pattern = prefill(
        _ROW,
        may_label=_("Permissions"),
        used_label=_("Last used"),
        expires_label=_("Expires"),
        state_label=_("State"),
    )
    cells = Cells()
    copy_text, soon_text = _("Copy the username"), _("expires soon")
    none = fill('<span class="text-secondary">{}</span>', _("no permissions"))

    def write(row: dict[str, Any]) -> SafeString:
        user, state = row["user"], row["state"]
        expires = cells.until(user.expires_at)
        return fill(
            pattern,
            url=user_url(user.username),
            description=user.description or user.username,
            username=user.username,
            copy=cells.copy(user.username, copy_text),
            may=fill("<span>{}</span>", row["may"]) if row["may"] else none,
            used=cells.when(user.last_used_at),
            used_from=fill('<span class="d-block text-secondary small text-break">{}</span>', used_from(user))
            if user.last_used_at
            else "",
            expires=fill(_SOON, soon_text, expires) if row["soon"] else expires,
            state=write_state(state.text, state.tone),
        )

    return joined(*map(write, rows))


@register.simple_tag
def used_from(user: RegistryUser | Secret) -> SafeString:
    """Write from where and with what a user or password was last used, as far as that is known."""
    return origin(user.last_used_from, user.last_used_with)
