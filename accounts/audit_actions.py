"""What the audit log records: the code that is stored, and its text for people.

A code never changes: it is sealed with its event (accounts/audit_chain.py). A name or text may.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AuditAction(TextChoices):
    """The label stands between the name of the person and that of the object: "Ann | created the user | ci"."""

    ACCOUNT_CLOSED = "account.closed", _("closed the account")
    ACCOUNT_OPENED = "account.opened", _("opened the account")
    ACCOUNT_LIMITS_CHANGED = "account.limits", _("changed the limits of")
    ACCOUNT_PASSWORD_RULES_CHANGED = "account.password_rules", _("changed the rules for passwords of")
    ACCOUNT_RENAMED = "account.renamed", _("renamed the account to")
    ACCOUNT_RESTORED = "account.restored", _("restored the suspended account")
    ACCOUNT_SUSPENDED = "account.suspended", _("suspended the account")
    ACCOUNT_SECOND_FACTOR_CHANGED = (
        "account.second_factor",
        _("changed whether a second factor is required in the account"),
    )
    API_TOKEN_CREATED = "api_token.created", _("created the API token")
    API_TOKEN_LEAKED = "api_token.leaked", _("ended the leaked API token")
    API_TOKEN_REVOKED = "api_token.revoked", _("revoked the API token")
    BACKUP_MADE = "backup.made", _("made the backup")
    EVENT_RETRIED = "event.retried", _("retried the event")
    GRANT_CHANGED = "grant.changed", _("changed the permission of")
    GRANT_CREATED = "grant.given", _("added a permission for")
    GRANT_DELETED = "grant.removed", _("removed the permission of")
    GROUP_ROLE_CHANGED = "group_role.changed", _("changed the role of the group")
    GROUP_ROLE_CREATED = "group_role.created", _("gave a role to the group")
    GROUP_ROLE_DELETED = "group_role.deleted", _("removed the role of the group")
    IMAGE_DELETED = "image.deleted", _("deleted the image and everything in it:")
    IMAGE_DELETION_REQUESTED = "image.deletion_asked", _("asked to delete the image and everything in it:")
    IMAGE_DELETION_STOPPED = "image.deletion_stopped", _("stopped the deletion of the image")
    IMAGE_DESCRIBED = "image.described", _("changed the description of the image")
    IMAGE_RESTORED = "image.put_back", _("restored the image and everything in it:")
    IMAGE_RESTORE_REQUESTED = "image.put_back_asked", _("asked to restore the image and everything in it:")
    ISSUER_ADDED = "issuer.added", _("added the ID token issuer")
    ISSUER_DELETED = "issuer.deleted", _("deleted the ID token issuer")
    ISSUER_DISABLED = "issuer.disabled", _("disabled the ID token issuer")
    ISSUER_EDITED = "issuer.edited", _("changed the ID token issuer")
    ISSUER_ENABLED = "issuer.enabled", _("enabled the ID token issuer")
    ISSUER_KEYS_REQUESTED = "issuer.keys_requested", _("fetched the keys of the ID token issuer")
    MANIFEST_DELETED = "manifest.deleted", _("deleted the image")
    MEMBER_ADDED = "member.added", _("added the member")
    MEMBER_ASSIGNED = "member.assigned", _("assigned as an owner:")
    MEMBER_INVITATIONS_VOIDED = (
        "member.invitations_voided",
        _("invalidated the invitation links of"),
    )
    MEMBER_INVITATION_WITHDRAWN = "member.invitation_withdrawn", _("withdrew the invitation link for a")
    MEMBER_INVITED = "member.invited", _("created an invitation link for a")
    MEMBER_JOINED = "member.joined", _("joined as a member:")
    MEMBER_REMOVED = "member.removed", _("removed the member")
    MEMBER_ROLE_CHANGED = "member.role_changed", _("changed the role of")
    MEMBER_SIGNED_UP = "member.signed_up", _("signed up with the invitation link for a")
    NAMESPACE_ADOPTED = "namespace.adopted", _("assigned the unassigned repositories to the namespace")
    NAMESPACE_ASSIGNED = "namespace.given_away", _("assigned the name of the namespace to another account:")
    NAMESPACE_CLEARED = "namespace.cleared", _("released the name of the namespace")
    NAMESPACE_CREATED = "namespace.created", _("created the namespace")
    NAMESPACE_DELETED = "namespace.deleted", _("deleted the namespace")
    NAMESPACE_DELETION_REQUESTED = (
        "namespace.deletion_asked",
        _("asked to delete the namespace and everything in it:"),
    )
    NAMESPACE_DELETION_STOPPED = "namespace.deletion_stopped", _("stopped the deletion of the namespace")
    NAMESPACE_DESCRIBED = "namespace.described", _("changed the description of the namespace")
    NAMESPACE_EMPTIED = "namespace.emptied", _("deleted everything in the namespace")
    NAMESPACE_PUBLISHED = "namespace.published", _("made the namespace public:")
    NAMESPACE_RESTORED = "namespace.put_back", _("restored everything in the namespace")
    NAMESPACE_RESTORE_REQUESTED = (
        "namespace.put_back_asked",
        _("asked to restore everything in the namespace"),
    )
    NAMESPACE_UNPUBLISHED = "namespace.unpublished", _("made the namespace private:")
    PERSON_DISABLED = "person.disabled", _("disabled the person")
    PERSON_ENABLED = "person.enabled", _("enabled the person")
    PERSON_MADE_OPERATOR = "person.made_operator", _("promoted to operator:")
    PERSON_OPERATOR_ENDED = "person.operator_ended", _("ended the operator role of")
    PERSON_OPERATOR_LINK_MADE = "person.operator_link_made", _("created a link for the first operator")
    PERSON_PROVIDER_LINKED = "person.provider_linked", _("linked single sign-on with")
    PERSON_PROVIDER_UNLINKED = "person.provider_unlinked", _("unlinked single sign-on with")
    PERSON_SECOND_FACTORS_RESET = "person.second_factors_reset", _("removed all second factors of")
    PERSON_SECOND_FACTOR_ADDED = "person.second_factor_added", _("added the second factor")
    PERSON_SECOND_FACTOR_REMOVED = "person.second_factor_removed", _("removed the second factor")
    PERSON_RESET_LINK_MADE = "person.reset_link_made", _("created a password reset link for")
    PERSON_SESSIONS_ENDED = "person.sessions_ended", _("ended all sessions of")
    QUARANTINE_RETRIED = "aside.retried", _("retried the quarantined work:")
    REGISTRY_COLLECTED = "registry.collected", _("ran the registry’s garbage collection:")
    REMOVAL_UNCONFIRMED = "removal.unconfirmed", _("requested a change that the registry did not confirm:")
    RESTORED = "backup.restored", _("restored the installation from the backup of")
    RETENTION_CHANGED = "retention.changed", _("changed the retention rule for")
    RETENTION_CREATED = "retention.created", _("created the retention rule for")
    RETENTION_DELETED = "retention.deleted", _("deleted the retention rule for")
    RETENTION_DISABLED = "retention.switched_off", _("disabled the retention rule for")
    RETENTION_ENABLED = "retention.switched_on", _("enabled the retention rule for")
    RETENTION_RAN = "retention.ran", _("removed tags by the retention rule for")
    RETENTION_STARTED = "retention.started", _("ran the retention rule for")
    SIGN_IN_SECOND_FACTOR_CHANGED = (
        "sign_in.second_factor",
        _("changed who must have a second factor:"),
    )
    SYNC_DELETIONS_APPROVED = "sync.let_go", _("approved the deletions of a sync:")
    SYNC_ROLLED_BACK = "sync.rolled_back", _("found that the registry was rolled back:")
    TAG_REMOVED = "tag.removed", _("removed the tag")
    TAG_RESTORED = "tag.restored", _("restored the tag")
    TRUST_POLICY_ALLOWED = "trust_policy.allowed", _("allowed a refused ID token of")
    TRUST_POLICY_CREATED = "trust_policy.created", _("added a trust policy to")
    TRUST_POLICY_DELETED = "trust_policy.deleted", _("deleted a trust policy of")
    TRUST_POLICY_DISABLED = "trust_policy.disabled", _("disabled a trust policy of")
    TRUST_POLICY_EDITED = "trust_policy.edited", _("changed a trust policy of")
    TRUST_POLICY_ENABLED = "trust_policy.enabled", _("enabled a trust policy of")
    USER_CREATED = "user.created", _("created the user")
    USER_DELETED = "user.deleted", _("deleted the user")
    USER_DISABLED = "user.disabled", _("disabled the user")
    USER_EDITED = "user.edited", _("edited the user")
    USER_ENABLED = "user.enabled", _("enabled the user")
    USER_PASSWORD_ENDED = "user.password_ended", _("ended a password of")
    USER_PASSWORD_LEAKED = "user.password_leaked", _("ended the leaked password of")
    USER_PASSWORD_REPLACED = "user.password_replaced", _("replaced the password of")
    USER_PASSWORD_RETIRED = "user.password_retired", _("changed when the old password ends of")
    USER_PASSWORD_ROTATED = "user.password_rotated", _("added a second password to")
    USER_PASSWORD_SWAPPED = "user.password_swapped", _("swapped an ID token for a password of")

    WEBHOOK_CHANGED = "webhook.changed", _("changed the webhook")
    WEBHOOK_CREATED = "webhook.created", _("created the webhook")
    WEBHOOK_DELETED = "webhook.deleted", _("deleted the webhook")
    WEBHOOK_DISABLED = "webhook.disabled", _("disabled the webhook")
    WEBHOOK_ENABLED = "webhook.enabled", _("enabled the webhook")
    WEBHOOK_RESENT = "webhook.resent", _("sent an event again to the webhook")
    WEBHOOK_SECRET_REPLACED = "webhook.secret_replaced", _("replaced the signing secret of the webhook")
    WEBHOOK_TESTED = "webhook.tested", _("sent a test to the webhook")


# What the activity page can be narrowed to, by how codes begin. Actions of no account are in none of them.
AUDIT_KINDS: dict[str, tuple[str, ...]] = {
    "users": ("user.", "trust_policy.", "issuer."),
    "permissions": ("grant.",),
    "namespaces": ("namespace.",),
    "images": ("image.", "tag.", "manifest.", "removal.", "aside."),
    "rules": ("retention.",),
    "members": ("member.",),
    "account": ("account.", "webhook."),
}
