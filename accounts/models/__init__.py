from accounts.models.access_denial import Denial
from accounts.models.account import Account
from accounts.models.api_token import ApiToken
from accounts.models.audit_event import AuditEvent
from accounts.models.audit_seal import AuditSeal
from accounts.models.bootstrap_link import OperatorLink
from accounts.models.dropped import DropCounter
from accounts.models.invitation import Invitation, InvitationState
from accounts.models.member import Member
from accounts.models.outgoing_mail import OutgoingMail
from accounts.models.person import Person
from accounts.models.registry_user import RegistryUser
from accounts.models.secret import Secret

__all__ = [
    "Account",
    "ApiToken",
    "AuditEvent",
    "AuditSeal",
    "Denial",
    "DropCounter",
    "Invitation",
    "InvitationState",
    "Member",
    "OperatorLink",
    "OutgoingMail",
    "Person",
    "RegistryUser",
    "Secret",
]
