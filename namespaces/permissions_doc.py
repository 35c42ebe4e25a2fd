"""docs/permissions.md, generated from `access.decide` itself, so that the two cannot differ. PURE."""

from accounts import roles
from namespaces.access import (
    REQUIRED_LEVEL,
    AccessContext,
    Action,
    GrantedLevel,
    GrantSource,
    Level,
    UserStatus,
    decide,
)

_INTRODUCTION = """\
# Who may do what

*Printed by `manage.py render_permissions_doc` from `namespaces/access.py` and `accounts/roles.py`;
`make check` compares.*

## Users: what `docker login` may do

A user's level on an image is the highest of: its grant on the image, its grant on the namespace, and read if the
namespace is public. There are no deny rules. A grant may name an image that has not been pushed yet. One that has ended
counts for nothing.
"""

_ROLE_END_EFFECTS = """\
## What ends with a role

| what a person made or asked for | once they are removed, demoted below it, or inactive |
|---|---|
| sessions and API tokens | end at once (inactive), or do what the person may still do |
| invitations | void for good (removed, demoted), or while the person is inactive |
| users, permissions, namespaces | stay: they are the account's. Replace passwords that the person has seen |
| removals that wait, retention rules, sync runs | go on: they are the account's; members can stop the rules |\
""".splitlines()

_WRITE_WARNING = """\
**Write can overwrite.** Whoever may push may push to a tag that exists, and the tag then points at the new image. The
old image stays in the registry and in the tag's history, from where it can be restored. Some clients overwrite a tag
when they may not delete it: `regctl tag delete` with write pushes an empty image to the tag, is refused the deletion,
and leaves the empty image there. Tokens know no right to new tags alone: give write only to who may replace any tag.\
""".splitlines()


def render() -> str:
    return "\n".join(
        [_INTRODUCTION, *_level_table(), "", *_WRITE_WARNING, "", *_case_table(), "", *_role_table(), ""]
    )


def _level_table() -> list[str]:
    lines = ["| action | asks for |", "|---|---|"]
    return lines + [f"| {action} | {REQUIRED_LEVEL[action].word} |" for action in Action]


def _case_table() -> list[str]:
    lines = [
        "| the user is | the namespace is | grant on the namespace | grant on the image | may | because |",
        "|---|---|---|---|---|---|",
    ]
    return lines + [_row(*case) for case in _cases()]


def _cases() -> list[tuple[UserStatus, bool, Level, Level]]:
    active = [
        (UserStatus.ACTIVE, public, wide, narrow)
        for public in (False, True)
        for wide in Level
        for narrow in Level
    ]
    others = [user_status for user_status in UserStatus if user_status is not UserStatus.ACTIVE]
    return active + [
        (user_status, public, Level.NONE, Level.NONE) for user_status in others for public in (False, True)
    ]


def _row(user_status: UserStatus, public: bool, wide: Level, narrow: Level) -> str:
    given = [(GrantSource.NAMESPACE, wide), (GrantSource.IMAGE, narrow)]
    grants = tuple(GrantedLevel(source, level) for source, level in given if level)
    context = AccessContext(user_status=user_status, public=public, grants=grants)
    may = [action.value for action in Action if decide(context, action)]
    reason = decide(context, Action.PULL).reason
    cells = [user_status.value, "public" if public else "private", _level_name(wide), _level_name(narrow)]
    return "| " + " | ".join([*cells, ", ".join(may) or "nothing", reason]) + " |"


def _role_table() -> list[str]:
    lines = ["## Persons: what a member may do in an account", ""]
    lines += [
        "| | " + " | ".join(role.value for role in roles.Role) + " |",
        "|---|" + "---|" * len(roles.Role),
    ]
    for permission in roles.Permission:
        marks = ["yes" if roles.has_permission(role, permission) else "no" for role in roles.Role]
        lines.append(f"| {roles.DESCRIPTIONS[permission]} | " + " | ".join(marks) + " |")
    lines += [
        "",
        "Anyone who is not a member sees nothing of an account, not even that it exists.",
        "",
        *_ROLE_END_EFFECTS,
    ]
    return lines


def _level_name(level: Level) -> str:
    return level.word if level else "–"
