"""Where a member does what would allow a denied request."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Denial
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from namespaces.names import split
from namespaces.smallest_grant import RemedyKind

_PERMISSIONS = {
    RemedyKind.GRANT: Permission.GRANTS_MANAGE,
    RemedyKind.ENABLE_USER: Permission.USERS_MANAGE,
    RemedyKind.EXTEND_USER: Permission.USERS_MANAGE,
    RemedyKind.SIGN_IN: Permission.USERS_MANAGE,
    RemedyKind.TRUST_POLICY: Permission.USERS_MANAGE,
    RemedyKind.CREATE_NAMESPACE: Permission.NAMESPACES_MANAGE,
}
_TEXTS: dict[RemedyKind, Promise] = {
    RemedyKind.GRANT: _("Allow…"),
    RemedyKind.ENABLE_USER: _("Enable the user"),
    RemedyKind.EXTEND_USER: _("Set a later expiry"),
    RemedyKind.SIGN_IN: _("See the passwords"),
    RemedyKind.TRUST_POLICY: _("See what was refused"),
    RemedyKind.CREATE_NAMESPACE: _("Create the namespace"),
}


@dataclass(frozen=True)
class Fix:
    """A link of a denial. `grants` is True where it leads to a permission that is filled in."""

    url: str
    text: Promise
    grants: bool = False


def add_fixes(account: Account, rows: Iterable[Any], *, here: str) -> None:
    """Set `fix` on each judged Denial; None where nothing helps, or the reader may not do it.

    The images whose layers a push could not reuse are mostly in other registries: no namespace is missing here.
    """
    for row in rows:
        needed = _PERMISSIONS.get(row.current_remedy.kind)
        helps = not (row.is_mount and needed is Permission.NAMESPACES_MANAGE)
        row.fix = fix_of(account, row, row.current_remedy.kind, here=here) if helps else None


def fix_of(account: Account, row: Denial, kind: RemedyKind, *, here: str) -> Fix | None:
    """Return the link to what is to be done about `row`; None where the reader may not do it, or there is nothing."""
    needed = _PERMISSIONS.get(kind)
    if not needed or denial_reason(account, needed):
        return None
    return Fix(url_of(account, row, kind, here=here), _TEXTS[kind], grants=kind is RemedyKind.GRANT)


def url_of(account: Account, row: Denial, kind: RemedyKind, *, here: str) -> str:
    """Return where the remedy is; `here` where there is none."""
    match kind:
        case RemedyKind.GRANT:
            return f"{_allow_url(account, row)}?{urlencode({'next': here})}"
        case RemedyKind.ENABLE_USER | RemedyKind.EXTEND_USER:
            return reverse("user", args=[account.handle, row.user.username])
        case RemedyKind.SIGN_IN:
            # Not to the button that replaces all passwords: the newest may well be in use.
            return f"{reverse('user', args=[account.handle, row.user.username])}#passwords"
        case RemedyKind.TRUST_POLICY:
            return reverse("refused-id-tokens", args=[account.handle, row.user.username])
        case RemedyKind.CREATE_NAMESPACE:
            name = split((row.source_names or [row.repository])[0])[0]
            return f"{reverse('namespace-create', args=[account.handle])}?{urlencode({'name': name})}"
    return here


def _allow_url(account: Account, row: Denial) -> str:
    """`row` is not stored where nobody has requested that yet."""
    if row.pk:
        return reverse("denial-allow", args=[account.handle, row.pk])
    return reverse("user-allow", args=[account.handle, row.user.username, row.action, row.repository])
