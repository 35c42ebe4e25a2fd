"""What was asked for under a name that nothing here can have. PURE.

The grammar skips it (scope.py): a token server answers with less, it does not fail. The client then says "denied" and
nothing else, so the user's page says why.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from accounts.common.lazy_text import lazy as _
from namespaces.access import Action
from namespaces.manifests.bidi_text import visible
from namespaces.names import REPOSITORY, REPOSITORY_MAX, is_repository

MOST = 20  # of one request
CATALOG = "registry:catalog"
LIST = "list"

# Whole sentences without a gap, as those of namespaces/access.py: they are kept as text. A test compares the number.
_CATALOG = (
    _("no user may list the whole registry"),
    _("Look into the panel, or ask its API. The tags of one image can be listed."),
)
_TOO_LONG = (_("the name has more than 200 characters"), _("Use a shorter name."))
_UPPER = (_("the name has upper-case letters"), _("Use lower case."))
_NO_NAMESPACE = (_("the name has no namespace"), _("Put one before the image: namespace/image."))
_ADDRESS = (_("the name holds a colon"), _("Leave the address of a registry out of the name."))
_OTHER = (
    _("no image can have this name"),
    _("Use lower-case a-z and 0-9, with . _ or - between them; a slash begins the next part."),
)


class InvalidName(NamedTuple):
    """`name` as it can be shown and kept."""

    name: str
    action: str
    reason: str
    remedy: str


def misnamed(scopes: Iterable[str]) -> Iterator[InvalidName]:
    """Each name once, in the order first asked."""
    asked: dict[str, set[str]] = {}
    for text in scopes:
        for item in text.split(" "):
            kind, _colon, rest = item.partition(":")
            name, _colon, actions = rest.rpartition(":")
            if kind == "registry" and name == "catalog":
                name = CATALOG
            elif kind != "repository" or not name or is_repository(name):
                continue
            if name in asked or len(asked) < MOST:
                asked.setdefault(name, set()).update(actions.split(","))
    return (_misnamed(name, actions) for name, actions in asked.items())


def _misnamed(name: str, actions: set[str]) -> InvalidName:
    if name == CATALOG:
        return InvalidName(name, LIST, *_CATALOG)
    return InvalidName(_shown(name), _greatest(actions), *_why(name))


def _why(name: str) -> tuple[str, str]:
    """Return (reason, remedy)."""
    if len(name) > REPOSITORY_MAX:
        return _TOO_LONG
    if ":" in name:
        return _ADDRESS
    if REPOSITORY.fullmatch(name):
        return _NO_NAMESPACE
    return _UPPER if REPOSITORY.fullmatch(name.lower()) else _OTHER


def _greatest(actions: set[str]) -> str:
    """One act, one line: whoever pushes asks to pull as well."""
    if Action.DELETE in actions or "*" in actions:
        return Action.DELETE.value
    return (Action.PUSH if Action.PUSH in actions else Action.PULL).value


def _shown(name: str) -> str:
    text = visible(name[: REPOSITORY_MAX + 1])
    return text if len(text) <= REPOSITORY_MAX else text[: REPOSITORY_MAX - 1] + "…"
