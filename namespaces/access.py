"""The one rule of access. PURE: an AccessContext in, a Verdict out.

The token service, pages, API and docs/permissions.md all ask `decide`, so they cannot disagree. A user's level on
an image is the highest of: its grant on the image, its grant on the namespace, and read if the namespace is public.
There are no deny rules; what no grant allows is denied.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from accounts.common.lazy_text import lazy as _


class Level(IntEnum):
    """What a user may do: READ pulls, WRITE also pushes, ADMIN also deletes."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Level":
        """Return the level called read, write or admin. Raise KeyError for any other word."""
        return _LEVELS_BY_NAME[word]


class Action(StrEnum):
    """The actions of a registry token's scope. `delete` is a right of its own; a push needs `pull` as well."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


class UserStatus(StrEnum):
    """The state of the user who asks. It is checked before any grant."""

    ACTIVE = "active"
    ANONYMOUS = "anonymous"
    DISABLED = "disabled"
    EXPIRED = "expired"
    ACCOUNT_CLOSED = "account closed"
    ACCOUNT_SUSPENDED = "account suspended"


_LEVELS_BY_NAME = {"read": Level.READ, "write": Level.WRITE, "admin": Level.ADMIN}

# These may do nothing, whatever was granted: status → (reason, remedy).
_BLOCKED = {
    UserStatus.DISABLED: (_("the user is disabled"), _("Enable the user.")),
    UserStatus.EXPIRED: (_("the user has expired"), _("Set a later expiry.")),
    UserStatus.ACCOUNT_CLOSED: (_("the account is closed"), _("Use a user of an open account.")),
    UserStatus.ACCOUNT_SUSPENDED: (_("the account is suspended"), _("Ask an operator of the registry.")),
}

BLOCKED = frozenset(_BLOCKED)
BLOCKED_REASONS = frozenset(reason for reason, _remedy in _BLOCKED.values())

REQUIRED_LEVEL: dict[Action, Level] = {
    Action.PULL: Level.READ,
    Action.PUSH: Level.WRITE,
    Action.DELETE: Level.ADMIN,
}


class GrantSource(StrEnum):
    """Where a level comes from. Of two equal levels the first in this order is named."""

    IMAGE = "image"
    NAMESPACE = "namespace"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class GrantedLevel:
    """A level that the user has on the repository, and where it comes from."""

    source: GrantSource
    level: Level


_PUBLIC = GrantedLevel(GrantSource.PUBLIC, Level.READ)

# Whole sentences without placeholders: a stored one (Denial.reason) can still be translated when it is shown, and is
# known again by its text (denial_recheck.py): a new wording leaves the rows of thirty days as they are.
_ALLOW_REASONS = {
    _PUBLIC: _("the namespace is public"),
    GrantedLevel(GrantSource.NAMESPACE, Level.READ): _("read on the namespace"),
    GrantedLevel(GrantSource.NAMESPACE, Level.WRITE): _("write on the namespace"),
    GrantedLevel(GrantSource.NAMESPACE, Level.ADMIN): _("admin on the namespace"),
    GrantedLevel(GrantSource.IMAGE, Level.READ): _("read on the image"),
    GrantedLevel(GrantSource.IMAGE, Level.WRITE): _("write on the image"),
    GrantedLevel(GrantSource.IMAGE, Level.ADMIN): _("admin on the image"),
}
_DENY_REASONS = {
    (Action.PULL, Level.NONE): _("pull denied: no permission on this image"),
    (Action.PUSH, Level.NONE): _("push denied: no permission on this image"),
    (Action.PUSH, Level.READ): _("push denied: this user has read-only access here"),
    (Action.DELETE, Level.NONE): _("delete denied: no permission on this image"),
    (Action.DELETE, Level.READ): _("delete denied: this user has read-only access here"),
    (Action.DELETE, Level.WRITE): _("delete denied: this user may only push and pull here"),
}
# Of who is not signed in, who cannot be given anything: action → (reason, remedy).
_NOT_SIGNED_IN = {
    Action.PULL: (
        _("pull denied: not signed in, and the namespace is private"),
        _("Sign in with a user, or make the namespace public."),
    ),
    Action.PUSH: (_("push denied: not signed in"), _("Sign in with a user that has write.")),
    Action.DELETE: (_("delete denied: not signed in"), _("Sign in with a user that has admin.")),
}
# Of a job for a pull request, which holds the code of whoever proposed it: action → (reason, remedy).
_OF_PULL_REQUEST = {
    action: (
        reason,
        _(
            "In the user’s trust policy, allow pull requests to push, if you trust everybody who can open one."
        ),
    )
    for action, reason in (
        (Action.PUSH, _("push denied: the ID token comes from a pull request")),
        (Action.DELETE, _("delete denied: the ID token comes from a pull request")),
    )
}
PULL_REQUEST_REASONS = frozenset(reason for reason, _remedy in _OF_PULL_REQUEST.values())
MISSING_LEVEL_REASONS = frozenset(_DENY_REASONS.values())
NO_NAMESPACE_REASON = _("no such namespace in this account")

_REMEDIES = {
    Action.PULL: _("Give read on the namespace or on this image."),
    Action.PUSH: _("Give write on the namespace or on this image."),
    Action.DELETE: _("Give admin on the namespace or on this image."),
}


@dataclass(frozen=True, slots=True)
class AccessContext:
    """All that `decide` knows. `grants` are only this user's, and only those on this repository.

    `namespace_exists` is False for another account's private namespace, too. `level` is the highest of all sources.
    With `pulls_only` the user may do no more than pull, whatever its level.
    """

    user_status: UserStatus = UserStatus.ACTIVE
    namespace_exists: bool = True
    public: bool = False
    grants: tuple[GrantedLevel, ...] = ()
    pulls_only: bool = False
    level: Level = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        levels = [granted.level for granted in _sources(self)]
        object.__setattr__(self, "level", max(levels, default=Level.NONE))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Allowed or denied, and why. `sources` are sorted, the deciding one first; `remedy` is "" when allowed."""

    allowed: bool
    reason: str
    level: Level
    sources: tuple[GrantedLevel, ...] = field(default=())
    remedy: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def decide(context: AccessContext, action: Action) -> Verdict:
    """Decide whether the user may do `action` to the repository that `context` describes."""
    sources = tuple(sorted(_sources(context), key=_highest_level_then_most_specific))
    level = sources[0].level if sources else Level.NONE
    if level >= REQUIRED_LEVEL[action] and not (context.pulls_only and action in _OF_PULL_REQUEST):
        return Verdict(allowed=True, reason=_ALLOW_REASONS[sources[0]], level=level, sources=sources)
    reason, remedy = _deny_reason(context, action, level)
    return Verdict(allowed=False, reason=reason, level=level, sources=sources, remedy=remedy)


def allowed_actions(context: AccessContext, requested: Collection[Action]) -> list[Action]:
    """Return those of `requested` that `decide` allows, in the order of Action, without reasons."""
    level = min(context.level, Level.READ) if context.pulls_only else context.level
    return [action for action, needed in REQUIRED_LEVEL.items() if action in requested and level >= needed]


def _sources(context: AccessContext) -> list[GrantedLevel]:
    """Return every level that the user has on the repository, in no order."""
    if context.user_status in _BLOCKED or not context.namespace_exists:
        return []
    sources = list(context.grants) if context.user_status is UserStatus.ACTIVE else []
    if context.public:
        sources.append(_PUBLIC)
    return sources


def _highest_level_then_most_specific(granted: GrantedLevel) -> tuple[int, int]:
    return -granted.level, list(GrantSource).index(granted.source)


def _deny_reason(context: AccessContext, action: Action, level: Level) -> tuple[str, str]:
    """Return (reason, remedy)."""
    if context.user_status in _BLOCKED:
        return _BLOCKED[context.user_status]
    if not context.namespace_exists:
        return NO_NAMESPACE_REASON, _("Check the name, or create the namespace.")
    if context.user_status is UserStatus.ANONYMOUS:
        return _NOT_SIGNED_IN[action]
    if level >= REQUIRED_LEVEL[action]:
        return _OF_PULL_REQUEST[action]
    return _DENY_REASONS[action, level], _REMEDIES[action]
