"""What a member may do in an account. PURE. docs/permissions.md is printed from this table."""

from enum import StrEnum

from accounts.common.lazy_text import said as _


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    VIEWER = "viewer"


class Act(StrEnum):
    """`<what>.<verb>`, alphabetical."""

    ACCOUNT_CLOSE = "account.close"
    ACCOUNT_RENAME = "account.rename"
    ACCOUNT_VIEW = "account.view"
    GRANTS_MANAGE = "grants.manage"
    IMAGES_REMOVE = "images.remove"
    MEMBERS_MANAGE = "members.manage"
    NAMESPACES_MANAGE = "namespaces.manage"
    SYNC_START = "sync.start"
    USERS_MANAGE = "users.manage"


_VIEWER = frozenset({Act.ACCOUNT_VIEW, Act.SYNC_START})
_MANAGER = _VIEWER | {Act.GRANTS_MANAGE, Act.IMAGES_REMOVE, Act.NAMESPACES_MANAGE, Act.USERS_MANAGE}
_OWNER = _MANAGER | {Act.ACCOUNT_CLOSE, Act.ACCOUNT_RENAME, Act.MEMBERS_MANAGE}

TABLE: dict[Role, frozenset[Act]] = {Role.OWNER: _OWNER, Role.MANAGER: _MANAGER, Role.VIEWER: _VIEWER}

DESCRIPTIONS: dict[Act, str] = {
    Act.ACCOUNT_CLOSE: _("close the account"),
    Act.ACCOUNT_RENAME: _("rename the account"),
    Act.ACCOUNT_VIEW: _("see everything in the account"),
    Act.GRANTS_MANAGE: _("give and take permissions"),
    Act.IMAGES_REMOVE: _("remove tags and images, put them back, and set retention rules"),
    Act.MEMBERS_MANAGE: _("invite, change and remove members"),
    Act.NAMESPACES_MANAGE: _("create, publish and delete namespaces"),
    Act.SYNC_START: _("ask for a sync"),
    Act.USERS_MANAGE: _("create and change users"),
}

_NAMES = {Role.OWNER: _("owner"), Role.MANAGER: _("manager"), Role.VIEWER: _("viewer")}


def may(role: Role, act: Act) -> bool:
    return act in TABLE[role]


def inviters(role: Role) -> frozenset[Role]:
    """Return the roles that may invite somebody as `role`: nobody gives what they do not have."""
    return frozenset(each for each in Role if may(each, Act.MEMBERS_MANAGE) and TABLE[each] >= TABLE[role])


def refusal(role: Role, act: Act) -> str:
    """Return the sentence that says why not, and who could."""
    able = _("owner or manager") if may(Role.MANAGER, act) else _("owner")
    return _("As a %(role)s you cannot %(act)s; that takes the role of %(able)s.",
             role=_NAMES[role], act=DESCRIPTIONS[act], able=able)  # fmt: skip
