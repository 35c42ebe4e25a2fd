"""The one rule of access. PURE: facts in, verdict out.

Token door, pages, API and documentation all ask `decide`, so they cannot disagree. A user's level on an image
is the highest of: its grant on the image, its grant on the namespace, and read if the namespace is public.
There are no deny rules; what nothing gives is denied.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


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
        """Raises KeyError for what is no level a grant can have."""
        return _GRANTABLE[word]


class Action(StrEnum):
    """What a registry asks for; `delete` is its own right, `push` is useless to it without `pull`."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


class Standing(StrEnum):
    """How good the one who asks is, before any grant is looked at."""

    ACTIVE = "active"
    ANONYMOUS = "anonymous"
    DISABLED = "disabled"
    EXPIRED = "expired"
    ACCOUNT_CLOSED = "account closed"


_GRANTABLE = {"read": Level.READ, "write": Level.WRITE, "admin": Level.ADMIN}

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


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rule may know. `grants` are this user's alone, already narrowed to this repository."""

    standing: Standing = Standing.ACTIVE
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
    """May the one with these facts do `action` to the repository the facts are about?"""
    refused = _refused_outright(facts)
    if refused is not None:  # a denial is false
        return refused
    trace = _roads(facts)
    level = max((grant.level for grant in trace), default=Level.NONE)
    needed = NEEDS[action]
    if level >= needed:
        best = next(grant for grant in trace if grant.level == level)
        return Verdict(allowed=True, reason=_because(best), level=level, trace=trace)
    held = f"the level here is {level.word}" if level else "no grant reaches this image"
    return Verdict(
        allowed=False,
        reason=f"{action} needs {needed.word}; {held}",
        level=level,
        trace=trace,
        remedy=f"Give {needed.word} on the namespace or on this image.",
    )  # fmt: skip


def allowed_actions(facts: Facts, asked: Iterable[Action]) -> list[Action]:
    """What of `asked` is allowed, built up from nothing, in the order of Action."""
    wanted = set(asked)
    return [action for action in Action if action in wanted and decide(facts, action)]


def _refused_outright(facts: Facts) -> Verdict | None:
    def refuse(reason: str, remedy: str) -> Verdict:
        return Verdict(allowed=False, reason=reason, level=Level.NONE, remedy=remedy)

    match facts.standing:
        case Standing.DISABLED:
            return refuse("the user is disabled", "Enable the user.")
        case Standing.EXPIRED:
            return refuse("the user has expired", "Set a later expiry.")
        case Standing.ACCOUNT_CLOSED:
            return refuse("the account is closed", "Use a user of an open account.")
    if not facts.namespace_exists:
        return refuse("no such namespace", "Create the namespace first.")
    return None


def _roads(facts: Facts) -> tuple[Grant, ...]:
    """Every road that reaches the repository, the strongest and the most particular first."""
    roads = list(facts.grants) if facts.standing is Standing.ACTIVE else []
    if facts.public:
        roads.append(Grant(Through.PUBLIC, Level.READ))
    order = list(Through)
    return tuple(sorted(roads, key=lambda grant: (-grant.level, order.index(grant.through))))


def _because(grant: Grant) -> str:
    if grant.through is Through.PUBLIC:
        return "the namespace is public"
    return f"{grant.level.word} on the {grant.through}"
