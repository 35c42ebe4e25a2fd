"""Activity as a page shows it, in the reader's words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import AuditAction
from accounts.common import time_zones
from accounts.common.translation import translate
from accounts.expiry import whole_day
from accounts.models import Account
from accounts.templatetags.formatting import word
from namespaces.activity.entries import ActivityEntry, ClientAction
from namespaces.activity.named_objects import Named, NamedObjects, named_in

FIELDS: Final[dict[str, Promise]] = {
    "account": _("account"),
    "begun": _("the registry was asked"),
    "clock_ahead_days": _("the clock went ahead by (days)"),
    "description": _("description"),
    "digest": _("digest"),
    "expires_at": _("expires"),
    "images": _("images"),
    "invitations": _("invitations"),
    "issuer": _("issuer"),
    "keep_checked": _("counts a check as a pull"),
    "keep_days": _("keeps what was pushed within (days)"),
    "keep_last": _("keeps the newest"),
    "keep_pattern": _("keeps tags named like"),
    "keep_pulled_days": _("keeps what was pulled within (days)"),
    "level": _("level"),
    "manifests": _("manifests"),
    "mount_sources": _("layers of"),
    "longest_life_days": _("maximum lifetime (days)"),
    "name": _("name"),
    "outcome": _("outcome"),
    "note": _("note"),
    "password": _("password"),
    "policy": _("trust policy"),
    "protect_pattern": _("protects"),
    "public": _("public"),
    "pull_requests_may_push": _("pull requests may push"),
    "readme": _("README (characters)"),
    "remedy": _("what would change it"),
    "repositories": _("repositories"),
    "retire_after_unused_days": _("ends after days without use"),
    "retires_at": _("ends"),
    "role": _("role"),
    "rules": _("rules"),
    "self_rotation": _("users may rotate their own password"),
    "tags": _("tags"),
    "users": _("users"),
}
# Between the name of the user and that of the image: "CI deploy | pushed | team/api:1.0".
_CLIENT_DEEDS: Final[dict[str, Promise]] = {
    ClientAction.PUSHED: pgettext_lazy("activity", "pushed"),
    ClientAction.DELETED: pgettext_lazy("activity", "deleted with a client:"),
    ClientAction.PULLED: pgettext_lazy("activity", "pulled"),
}
_DENIED_DEEDS: Final[dict[str, Promise]] = {
    "login": pgettext_lazy("activity", "was denied the login"),
    "id_token": pgettext_lazy("activity", "was denied the login by ID token"),
    "pull": pgettext_lazy("activity", "was denied the pull of"),
    "push": pgettext_lazy("activity", "was denied the push to"),
    "delete": pgettext_lazy("activity", "was denied the deletion of"),
    "mount": pgettext_lazy("activity", "was not allowed to reuse layers for"),
    "list": pgettext_lazy("activity", "was denied the list of images"),
}
# What the line says itself, and its details need not.
_SAID: Final = {ClientAction.DENIED: {"request", "reason"}}

Change = tuple[str, str | None, str | None]  # (field, before, after); None where there was none


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityLine:
    """`level`: of a permission, (before, after) as words. Addresses are "" for what has no page, or none any more."""

    entry: ActivityEntry
    actor: str
    actor_url: str
    deed: str
    named: Named
    user_url: str
    target_url: str
    level: tuple[str | None, str | None] | None
    level_url: str
    reason: str
    changes: Sequence[Change]


def lines_of(account: Account, entries: Sequence[ActivityEntry]) -> list[ActivityLine]:
    """One statement for a page of them."""
    there, writer = NamedObjects(account, entries), _Writer()

    def line(entry: ActivityEntry) -> ActivityLine:
        named, is_user = named_in(entry), entry.actor_kind == "user"
        changes = {name: (before, after) for name, before, after in writer.changes(entry)}
        level = changes.pop("level", None) if entry.object_kind == "grant" else None
        shown = [
            (writer.field_of(name), *both)
            for name, both in changes.items()
            if name not in _SAID.get(entry.action, ())  # type: ignore[call-overload]
        ]
        return ActivityLine(
            entry=entry,
            actor=(there.description(entry.actor) or entry.actor or _nobody(entry))
            if is_user
            else translate(entry.actor),
            actor_url=there.user_url(entry.actor) if is_user else "",
            deed=writer.deed_of(entry),
            named=named,
            user_url=there.user_url(named.user),
            target_url=there.target_url(named.target),
            level=level,
            level_url=there.permissions_url(named.target),
            reason=translate(entry.after["reason"]) if entry.action == ClientAction.DENIED else "",
            changes=shown,
        )

    return [*map(line, entries)]


def _nobody(entry: ActivityEntry) -> str:
    return gettext("anonymous") if entry.action == ClientAction.PULLED else gettext("an unknown client")


class _Writer:
    """A page has few actions, fields and levels, and each is looked up once for its language."""

    def __init__(self) -> None:
        self.field_of, self._text_of, self._word_of = cache(_field_of), cache(_text_of), cache(word)

    def deed_of(self, entry: ActivityEntry) -> str:
        if entry.action == ClientAction.DENIED:
            return str(_DENIED_DEEDS.get(entry.after["request"], entry.after["request"]))
        return self._text_of(entry.action)

    def changes(self, entry: ActivityEntry) -> list[Change]:
        before, after = entry.before, entry.after
        return [
            (name, _words(before, name, self._word_of), _words(after, name, self._word_of))
            for name in sorted({*before, *after})
        ]


def _text_of(code: str) -> str:
    """Return the code itself for one that a later release wrote."""
    if code in AuditAction:
        return str(AuditAction(code).label)
    return str(_CLIENT_DEEDS.get(code, code))


def _field_of(name: str) -> str:
    return str(FIELDS.get(name, name.replace("_", " ")))


def _words(facts: dict[str, Any], name: str, word_of: Callable[[object], str]) -> str | None:
    value = facts.get(name)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name in ("role", "level"):
        return None if value is None else word_of(value)
    if name == "remedy":
        return translate(str(value))
    if isinstance(value, str) and name.endswith("_at"):
        moment = datetime.fromisoformat(value)
        day = whole_day(moment) if name == "expires_at" else ""
        return day or time_zones.exact(moment, timezone.get_current_timezone())
    return None if value is None else str(value)
