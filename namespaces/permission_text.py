"""What permissions amount to, in words that a newcomer reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.expiry import ending
from namespaces.access import Level
from namespaces.models import Grant, Namespace

NAMED_MOST = 2
DOES = {
    Level.READ: gettext_lazy("pull"),
    Level.WRITE: gettext_lazy("pull and push"),
    Level.ADMIN: gettext_lazy("pull, push and delete"),
}
LEVEL_WORDS = {
    Level.READ: gettext_lazy("read on %(where)s"),
    Level.WRITE: gettext_lazy("write on %(where)s"),
    Level.ADMIN: gettext_lazy("admin on %(where)s"),
}


@dataclass(frozen=True)
class Target:
    """A whole namespace (`image_name` empty), or one image of it, pushed already or not."""

    namespace: Namespace
    image_name: str = ""

    @property
    def name(self) -> str:
        return f"{self.namespace.name}/{self.image_name}" if self.image_name else self.namespace.name


def effect(level: Level, targets: Sequence[Target], expires_at: datetime | None) -> str:
    """Return the whole of what a user can do: "Can pull and push team/api until 21 Feb 2027. Nothing else."."""
    if not targets:
        return _("Can sign in and do nothing, until you give it a permission.")
    facts = {"do": DOES[level], "where": _and([_all_of(each) for each in targets])}
    if not expires_at:
        return _("Can %(do)s %(where)s, with no end. Nothing else.") % facts
    return _("Can %(do)s %(where)s until %(day)s. Nothing else.") % {**facts, "day": ending(expires_at)}


def summary(grants: Iterable[Grant]) -> str:
    """One line for a list: "write on team, read on 3 images"; the highest level first."""
    held: dict[Level, list[Grant]] = {}
    for grant in grants:
        held.setdefault(Level(grant.level), []).append(grant)
    parts = [LEVEL_WORDS[level] % {"where": _some(held[level])} for level in sorted(held, reverse=True)]
    return ", ".join(parts)


def _some(grants: list[Grant]) -> str:
    if len(grants) <= NAMED_MOST:
        return _and([each.target for each in grants])
    images = sum(1 for each in grants if each.image_name)
    whole = len(grants) - images
    counts = [ngettext("%(n)s namespace", "%(n)s namespaces", whole) % {"n": whole}] if whole else []
    counts += [ngettext("%(n)s image", "%(n)s images", images) % {"n": images}] if images else []
    return _and(counts)


def _all_of(target: Target) -> str:
    return target.name if target.image_name else _("every image in %(name)s") % {"name": target.name}


def _and(parts: list[str]) -> str:
    *most, last = parts
    return _("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last
