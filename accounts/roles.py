"""What a member may do in an account. PURE. docs/permissions.md is printed from this table."""

from enum import StrEnum

from accounts.common.lazy_text import lazy as _


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    VIEWER = "viewer"


class Permission(StrEnum):
    """`<what>.<verb>`, alphabetical."""

    ACCOUNT_CLOSE = "account.close"
    ACCOUNT_RENAME = "account.rename"
    ACCOUNT_VIEW = "account.view"
    GRANTS_MANAGE = "grants.manage"
    IMAGES_DESCRIBE = "images.describe"
    IMAGES_REMOVE = "images.remove"
    MEMBERS_MANAGE = "members.manage"
    NAMESPACES_MANAGE = "namespaces.manage"
    CREDENTIAL_RULES_CHANGE = "credential_rules.change"
    SECOND_FACTOR_REQUIRE = "second_factor.require"
    SYNC_START = "sync.start"
    USERS_MANAGE = "users.manage"
    WEBHOOKS_MANAGE = "webhooks.manage"


_VIEWER = frozenset({Permission.ACCOUNT_VIEW, Permission.SYNC_START})
_MANAGER = _VIEWER | {
    Permission.GRANTS_MANAGE,
    Permission.IMAGES_DESCRIBE,
    Permission.IMAGES_REMOVE,
    Permission.NAMESPACES_MANAGE,
    Permission.USERS_MANAGE,
    Permission.WEBHOOKS_MANAGE,
}
_OWNER = _MANAGER | {
    Permission.ACCOUNT_CLOSE,
    Permission.ACCOUNT_RENAME,
    Permission.MEMBERS_MANAGE,
    Permission.CREDENTIAL_RULES_CHANGE,
    Permission.SECOND_FACTOR_REQUIRE,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.MANAGER: _MANAGER,
    Role.VIEWER: _VIEWER,
}

DESCRIPTIONS: dict[Permission, str] = {
    Permission.ACCOUNT_CLOSE: _("close the account"),
    Permission.ACCOUNT_RENAME: _("rename the account"),
    Permission.ACCOUNT_VIEW: _("see everything in the account"),
    Permission.GRANTS_MANAGE: _("add, change and remove permissions"),
    Permission.IMAGES_DESCRIBE: _("describe images"),
    Permission.IMAGES_REMOVE: _("remove and restore tags and images, and set retention rules"),
    Permission.MEMBERS_MANAGE: _("invite, change and remove members"),
    Permission.NAMESPACES_MANAGE: _("create, describe, publish and delete namespaces"),
    Permission.CREDENTIAL_RULES_CHANGE: _("change the rules for passwords of users"),
    Permission.SECOND_FACTOR_REQUIRE: _("require a second factor of members"),
    Permission.SYNC_START: _("request a sync"),
    Permission.USERS_MANAGE: _("create and change users"),
    Permission.WEBHOOKS_MANAGE: _("see and change webhooks, and what was sent to them"),
}

# Of the permissions that not every role has.
_DENIALS: dict[Permission, str] = {
    Permission.ACCOUNT_CLOSE: _("Only owners can close the account."),
    Permission.ACCOUNT_RENAME: _("Only owners can rename the account."),
    Permission.GRANTS_MANAGE: _("Viewers can’t change permissions. Ask an owner or manager."),
    Permission.IMAGES_DESCRIBE: _("Viewers can’t describe images. Ask an owner or manager."),
    Permission.IMAGES_REMOVE: _(
        "Viewers can’t remove images or change retention rules. Ask an owner or manager."
    ),
    Permission.MEMBERS_MANAGE: _("Only owners can invite, change or remove members."),
    Permission.NAMESPACES_MANAGE: _("Viewers can’t create or change namespaces. Ask an owner or manager."),
    Permission.CREDENTIAL_RULES_CHANGE: _("Only owners can change the rules for passwords."),
    Permission.SECOND_FACTOR_REQUIRE: _("Only owners can require a second factor."),
    Permission.USERS_MANAGE: _("Viewers can’t create or change users. Ask an owner or manager."),
    Permission.WEBHOOKS_MANAGE: _("Viewers can’t see or change webhooks. Ask an owner or manager."),
}


def has_permission(role: Role, permission: Permission) -> bool:
    return permission in PERMISSIONS[role]


def roles_that_may_invite(role: Role) -> frozenset[Role]:
    """Return the roles that may invite somebody as `role`: nobody gives what they do not have."""
    return frozenset(
        each
        for each in Role
        if has_permission(each, Permission.MEMBERS_MANAGE) and PERMISSIONS[each] >= PERMISSIONS[role]
    )


def denial_text(permission: Permission) -> str:
    """Return the sentence for whoever does not have `permission`: who has it."""
    return _DENIALS[permission]
