"""The state of a user in one word, and in the colour that goes with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.common.expiring import expires_soon
from accounts.models import InvitationState, RegistryUser
from accounts.user_list import is_overlong

USED_LATELY = timedelta(days=30)


@dataclass(frozen=True)
class StatusBadge:
    """`tone` is one of `cells.state`: good only for what a recent fact proves."""

    text: str | Promise
    tone: str


def user_badge(user: RegistryUser, now: datetime, *, password_ends_soon: bool = False) -> StatusBadge:
    match user.state_at(now):
        case "disabled":
            return StatusBadge(_("disabled"), "none")
        case "expired":
            return StatusBadge(_("expired"), "bad")
    if expires_soon(user.expires_at, now):
        return StatusBadge(_("expires soon"), "warn")
    if password_ends_soon:
        return StatusBadge(_("password ends soon"), "warn")
    if is_overlong(user, now):
        return StatusBadge(_("longer than allowed"), "warn")
    if user.last_used_at is None:
        return StatusBadge(_("not used yet"), "none")
    return StatusBadge(_("active"), "good" if user.last_used_at > now - USED_LATELY else "none")


INVITATION_BADGES = {
    InvitationState.OPEN: StatusBadge(_("open"), "good"),
    InvitationState.RESERVED: StatusBadge(_("signed up, not joined yet"), "warn"),
    InvitationState.USED: StatusBadge(_("used"), "none"),
    InvitationState.EXPIRED: StatusBadge(_("expired"), "none"),
    InvitationState.REVOKED: StatusBadge(_("withdrawn"), "none"),
    InvitationState.VOID: StatusBadge(_("invalid: its creator can no longer invite"), "bad"),
}
