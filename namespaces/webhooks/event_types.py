"""What a webhook can be told, and in which formats. PURE.

Receivers decide by a type's words. Argo CD Image Updater takes each CloudEvent whose type contains "image" or
"container" for a push, so only those types do after which a tag points at something new.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from accounts.common.lazy_text import lazy as _


class EventType(StrEnum):
    """The value is stored, and sent after PREFIX: it never changes."""

    IMAGE_PUSHED = "image.pushed"
    IMAGE_RESTORED = "image.restored"
    TAG_DELETED = "tag.deleted"
    RETENTION_FINISHED = "retention.finished"
    USER_DENIED = "user.denied"
    USER_EXPIRING = "user.expiring"


TEST = "webhook.test"  # asked for by a person, and never chosen
PREFIX = "registry-manager."

LABELS: dict[EventType, str] = {
    EventType.IMAGE_PUSHED: _("A tag was pushed"),
    EventType.IMAGE_RESTORED: _("A tag was rolled back or restored in the panel"),
    EventType.TAG_DELETED: _("A tag was deleted"),
    EventType.RETENTION_FINISHED: _("A retention rule ran"),
    EventType.USER_DENIED: _("A user was denied many times"),
    EventType.USER_EXPIRING: _("A user, password or permission expires soon"),
}
# A tag points at something new after these: what deploys waits for them.
PUSHES = frozenset({EventType.IMAGE_PUSHED, EventType.IMAGE_RESTORED})
OF_TAGS = PUSHES | {EventType.TAG_DELETED}
# About users, who belong to no namespace: for webhooks of a whole account.
OF_ACCOUNT = frozenset({EventType.USER_DENIED, EventType.USER_EXPIRING})


class Format(StrEnum):
    CLOUDEVENTS = "cloudevents"
    CLOUDEVENTS_JSON = "cloudevents-json"  # the same, sent as application/json: Flux filters nothing else
    HARBOR = "harbor"
    KEEL = "keel"
    PORTAINER = "portainer"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class FormatFacts:
    """`types`: which events it can express."""

    label: str
    types: frozenset[EventType]


_ALL = frozenset(EventType)
FORMATS: dict[str, FormatFacts] = {
    Format.CLOUDEVENTS: FormatFacts(_("CloudEvents 1.0"), _ALL),
    Format.CLOUDEVENTS_JSON: FormatFacts(_("CloudEvents 1.0, sent as application/json"), _ALL),
    Format.HARBOR: FormatFacts(_("Harbor’s payload"), OF_TAGS),
    Format.KEEL: FormatFacts(_("Keel: name and tag"), PUSHES),
    Format.PORTAINER: FormatFacts(_("Portainer: no body, the tag in the address"), PUSHES),
    Format.EMPTY: FormatFacts(_("No body"), _ALL),
}


def types_problem(types: Collection[str], format: Format, *, whole_account: bool) -> str:
    """Return why a webhook cannot have these event types; "" where it can."""
    known = {each.value for each in EventType}
    if not types or not known.issuperset(types):
        return _("Select at least one of the events.")
    if foreign := _named(set(types) - {each.value for each in FORMATS[format].types}):
        return _("This format cannot express: %(events)s.", events=foreign)
    if not whole_account and (outside := _named(set(types) & {each.value for each in OF_ACCOUNT})):
        return _("Only a webhook of the whole account can be told: %(events)s.", events=outside)
    return ""


def in_order(types: Iterable[str]) -> list[str]:
    """Return them in the order of `EventType`, each once."""
    given = set(types)
    return [each.value for each in EventType if each.value in given]


def _named(types: Collection[str]) -> str:
    return ", ".join(each.value for each in EventType if each.value in types)
