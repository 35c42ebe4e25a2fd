"""Permissions as sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.expiry import ending
from namespaces.access import Level
from namespaces.models import Grant, Namespace
from namespaces.smallest_grant import RemedyKind

NAMED_MAX = 2
ACTION_TEXTS = {
    Level.READ: gettext_lazy("pull"),
    Level.WRITE: gettext_lazy("pull and push"),
    Level.ADMIN: gettext_lazy("pull, push and delete"),
}
LEVEL_TEXTS = {
    Level.READ: gettext_lazy("read on %(where)s"),
    Level.WRITE: gettext_lazy("write on %(where)s"),
    Level.ADMIN: gettext_lazy("admin on %(where)s"),
}

_WHY_NO_GRANT = {
    RemedyKind.NOTHING: gettext_lazy("This request is allowed now."),
    RemedyKind.ENABLE_USER: gettext_lazy("No permission helps while the user is disabled."),
    RemedyKind.EXTEND_USER: gettext_lazy("No permission helps: the user has expired."),
    RemedyKind.OPEN_ACCOUNT: gettext_lazy("No permission helps: the account is closed."),
    RemedyKind.RESTORE_ACCOUNT: gettext_lazy("No permission helps while the account is suspended."),
    RemedyKind.SIGN_IN: gettext_lazy("No permission helps: the password was wrong."),
    RemedyKind.TRUST_POLICY: gettext_lazy(
        "No permission helps: change what the user’s trust policy accepts."
    ),
    RemedyKind.CREATE_NAMESPACE: gettext_lazy("There is no such namespace in this account. Create it first."),
    RemedyKind.OTHER_ACCOUNT: gettext_lazy(
        "The namespace belongs to another account; only its members can allow this."
    ),
    RemedyKind.OTHER_NAME: gettext_lazy("No permission helps: no image can have this name."),
}


@dataclass(frozen=True)
class GrantTarget:
    """A whole namespace (`image_name` empty), or one image of it, pushed already or not."""

    namespace: Namespace
    image_name: str = ""

    @property
    def name(self) -> str:
        return f"{self.namespace.name}/{self.image_name}" if self.image_name else self.namespace.name


class Granted(Protocol):
    """A grant, or what a list holds of one."""

    @property
    def level(self) -> int: ...
    @property
    def image_name(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...


def effect(level: Level, targets: Sequence[GrantTarget], expires_at: datetime | None) -> str:
    """Return all that a user can do: "Can pull and push team/api until 21 Feb 2027. Nothing else."."""
    if not targets:
        return _("Can sign in, but cannot do anything until you add a permission.")
    values = {"do": ACTION_TEXTS[level], "where": _join([_target_text(each) for each in targets])}
    if not expires_at:
        return _("Can %(do)s %(where)s, with no expiry. Nothing else.") % values
    return _("Can %(do)s %(where)s until %(day)s. Nothing else.") % {**values, "day": ending(expires_at)}


def may_sentence(who: str, level: Level, targets: Sequence[GrantTarget], expires_at: datetime | None) -> str:
    """Return what grants give: "CI deploy can pull and push team/api until 4 Dec 2026."."""
    where = _join([_target_text(each) for each in targets])
    values = {"who": who, "do": ACTION_TEXTS[level], "where": where}
    if not expires_at:
        return _("%(who)s can %(do)s %(where)s, with no end.") % values
    return _("%(who)s can %(do)s %(where)s until %(day)s.") % {**values, "day": ending(expires_at)}


def grant_effect(grant: Grant) -> str:
    """Return `may_sentence` of a grant."""
    target = GrantTarget(grant.namespace, grant.image_name)
    return may_sentence(grant.user.description, Level(grant.level), [target], grant.expires_at)


def replaced(grant: Grant) -> str:
    """Return what a grant that takes the place of this one ends."""
    values = {"levels": summary([grant])}
    return (
        _("This replaces what it has: %(levels)s. When the new permission ends, that is gone too.") % values
    )


def why_no_grant(kind: RemedyKind) -> str:
    """Return why no grant would allow a denied request, for every kind but GRANT."""
    return str(_WHY_NO_GRANT[kind])


def summary(grants: Sequence[Granted]) -> str:
    """Return one line for a list, the highest level first: "write on team, read on 3 images; the first ends 4 Dec"."""
    by_level: dict[Level, list[Granted]] = {}
    for grant in grants:
        by_level.setdefault(Level(grant.level), []).append(grant)
    parts = [
        LEVEL_TEXTS[level] % {"where": _targets_text(by_level[level])}
        for level in sorted(by_level, reverse=True)
    ]
    ends = [grant.expires_at for grant in grants if grant.expires_at]
    if not ends:
        return ", ".join(parts)
    values = {"levels": ", ".join(parts), "day": ending(min(ends))}
    if len(ends) == len(grants) == 1:
        return _("%(levels)s, until %(day)s") % values
    return _("%(levels)s; the first ends %(day)s") % values


def _targets_text(grants: list[Granted]) -> str:
    if len(grants) <= NAMED_MAX:
        return _join([each.target for each in grants])
    images = sum(1 for each in grants if each.image_name)
    whole = len(grants) - images
    counts = [ngettext("%(n)s namespace", "%(n)s namespaces", whole) % {"n": whole}] if whole else []
    counts += [ngettext("%(n)s image", "%(n)s images", images) % {"n": images}] if images else []
    return _join(counts)


def _target_text(target: GrantTarget) -> str:
    return target.name if target.image_name else _("every image in %(name)s") % {"name": target.name}


def _join(parts: list[str]) -> str:
    *most, last = parts
    return _("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last
