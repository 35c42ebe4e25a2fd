"""The one rule of access. PURE: facts in, verdict out.

Token door, pages, API and documentation all ask `decide`, so they cannot disagree. A user's level on an image
is the highest of: its grant on the image, its grant on the namespace, and read if the namespace is public.
There are no deny rules; what nothing gives is denied.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from accounts.common.lazy_text import lazy as _


class Level(IntEnum):
    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Level":
        """Return the level of this name. Raise KeyError for what is no level a grant can have."""
        return _GRANTABLE[word]


class Action(StrEnum):
    """What a registry asks for; `delete` is its own right, `push` is useless to it without `pull`."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


class UserStatus(StrEnum):
    """How good the one who asks is, before any grant is looked at."""

    ACTIVE = "active"
    ANONYMOUS = "anonymous"
    DISABLED = "disabled"
    EXPIRED = "expired"
    ACCOUNT_CLOSED = "account closed"


_GRANTABLE = {"read": Level.READ, "write": Level.WRITE, "admin": Level.ADMIN}

# Who may do nothing, whatever was granted: why, and what would change it.
_FALLEN = {
    UserStatus.DISABLED: (_("the user is disabled"), _("Enable the user.")),
    UserStatus.EXPIRED: (_("the user has expired"), _("Set a later expiry.")),
    UserStatus.ACCOUNT_CLOSED: (_("the account is closed"), _("Use a user of an open account.")),
}

ENDED = frozenset(reason for reason, _remedy in _FALLEN.values())

NEEDS: dict[Action, Level] = {
    Action.PULL: Level.READ,
    Action.PUSH: Level.WRITE,
    Action.DELETE: Level.ADMIN,
}


class Through(StrEnum):
    """The kinds of road by which a level is reached."""

    IMAGE = "image"
    NAMESPACE = "namespace"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Grant:
    """One level given to the user that reaches the repository: on the whole namespace, or on this image."""

    through: Through
    level: Level


_PUBLIC = Grant(Through.PUBLIC, Level.READ)

# Whole sentences without a gap, so that one kept as text (a Denial) can still be translated when it is read.
_BECAUSE = {
    _PUBLIC: _("the namespace is public"),
    Grant(Through.NAMESPACE, Level.READ): _("read on the namespace"),
    Grant(Through.NAMESPACE, Level.WRITE): _("write on the namespace"),
    Grant(Through.NAMESPACE, Level.ADMIN): _("admin on the namespace"),
    Grant(Through.IMAGE, Level.READ): _("read on the image"),
    Grant(Through.IMAGE, Level.WRITE): _("write on the image"),
    Grant(Through.IMAGE, Level.ADMIN): _("admin on the image"),
}
_TOO_LITTLE = {
    (Action.PULL, Level.NONE): _("pull needs read; no grant reaches this image"),
    (Action.PUSH, Level.NONE): _("push needs write; no grant reaches this image"),
    (Action.PUSH, Level.READ): _("push needs write; the level here is read"),
    (Action.DELETE, Level.NONE): _("delete needs admin; no grant reaches this image"),
    (Action.DELETE, Level.READ): _("delete needs admin; the level here is read"),
    (Action.DELETE, Level.WRITE): _("delete needs admin; the level here is write"),
}
_GIVE = {
    Action.PULL: _("Give read on the namespace or on this image."),
    Action.PUSH: _("Give write on the namespace or on this image."),
    Action.DELETE: _("Give admin on the namespace or on this image."),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rule may know. `grants` are this user's alone, already narrowed to this repository.

    For a user, only what is public exists of other accounts' namespaces.
    """

    user_status: UserStatus = UserStatus.ACTIVE
    namespace_exists: bool = True
    public: bool = False
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Allowed or denied, always with the reason, the roads that led there, and what would allow it."""

    allowed: bool
    reason: str
    level: Level
    trace: tuple[Grant, ...] = field(default=())
    remedy: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def decide(facts: Facts, action: Action) -> Verdict:
    """Decide whether the one with these facts may do `action` to the repository that the facts are about."""
    trace = tuple(sorted(_roads(facts), key=_strongest_and_most_particular_first))
    level = trace[0].level if trace else Level.NONE
    if level >= NEEDS[action]:
        return Verdict(allowed=True, reason=_BECAUSE[trace[0]], level=level, trace=trace)
    reason, remedy = _refusal(facts, action, level)
    return Verdict(allowed=False, reason=reason, level=level, trace=trace, remedy=remedy)


def allowed_actions(facts: Facts, asked: Collection[Action]) -> list[Action]:
    """Return what `decide` allows of `asked`, in the order of Action: the same rule, without the words."""
    level = max((grant.level for grant in _roads(facts)), default=Level.NONE)
    return [action for action, needed in NEEDS.items() if action in asked and level >= needed]


def _roads(facts: Facts) -> list[Grant]:
    """Every road by which the one who asks reaches the repository."""
    if facts.user_status in _FALLEN or not facts.namespace_exists:
        return []
    roads = list(facts.grants) if facts.user_status is UserStatus.ACTIVE else []
    if facts.public:
        roads.append(_PUBLIC)
    return roads


def _strongest_and_most_particular_first(grant: Grant) -> tuple[int, int]:
    return -grant.level, list(Through).index(grant.through)


def _refusal(facts: Facts, action: Action, level: Level) -> tuple[str, str]:
    """Return (reason, remedy)."""
    if facts.user_status in _FALLEN:
        return _FALLEN[facts.user_status]
    if not facts.namespace_exists:
        return _("no such namespace in this account"), _("Check the name, or create the namespace.")
    return _TOO_LITTLE[action, level], _GIVE[action]
