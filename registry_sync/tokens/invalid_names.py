"""Why a name that no repository can have gets no access. PURE.

scope.py skips such names: a token server answers with less, it does not fail. The client then says "denied" and
nothing else, so the user's page says why.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from accounts.common.lazy_text import lazy as _
from namespaces.access import Action
from namespaces.manifests.bidi_text import escape_invisible
from namespaces.names import REPOSITORY, REPOSITORY_MAX
from registry_sync.tokens.scope import CATALOG

LIST = "list"

# Whole sentences without a gap, as those of namespaces/access.py: they are kept as text. A test compares the number.
_CATALOG = (
    _("no user may list the whole registry"),
    _("Use the panel or its API. The tags of one image can be listed."),
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


def explain_invalid(invalid: Mapping[str, set[str]]) -> Iterator[InvalidName]:
    """`invalid`: name → the words asked of it, as ParsedScopes has them."""
    return (_explain(name, words) for name, words in invalid.items())


def _explain(name: str, words: set[str]) -> InvalidName:
    if name == CATALOG:
        return InvalidName(name, LIST, *_CATALOG)
    return InvalidName(_displayable(name), _greatest(words), *_reason(name))


def _reason(name: str) -> tuple[str, str]:
    """Return (reason, remedy)."""
    if len(name) > REPOSITORY_MAX:
        return _TOO_LONG
    if ":" in name:
        return _ADDRESS
    if REPOSITORY.fullmatch(name):
        return _NO_NAMESPACE
    return _UPPER if REPOSITORY.fullmatch(name.lower()) else _OTHER


def _greatest(words: set[str]) -> str:
    """One request, one line: whoever pushes asks to pull as well."""
    if Action.DELETE in words or "*" in words:
        return Action.DELETE.value
    return (Action.PUSH if Action.PUSH in words else Action.PULL).value


def _displayable(name: str) -> str:
    text = escape_invisible(name[: REPOSITORY_MAX + 1])
    return text if len(text) <= REPOSITORY_MAX else text[: REPOSITORY_MAX - 1] + "…"
