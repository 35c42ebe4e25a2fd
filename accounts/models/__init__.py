from accounts.models.access_denial import Denial
from accounts.models.account import Account
from accounts.models.api_token import ApiToken
from accounts.models.audit_event import AuditEvent
from accounts.models.audit_seal import AuditSeal
from accounts.models.bootstrap_link import OperatorLink
from accounts.models.dropped import DropCounter
from accounts.models.group_role import GroupRole
from accounts.models.id_token_issuer import IdTokenIssuer
from accounts.models.invitation import Invitation, InvitationState
from accounts.models.member import Member
from accounts.models.outgoing_mail import OutgoingMail
from accounts.models.person import Person
from accounts.models.refused_id_token import RefusedIdToken
from accounts.models.registry_user import RegistryUser
from accounts.models.secret import Secret
from accounts.models.security_event import SecurityEvent
from accounts.models.sign_in_policy import SignInPolicy
from accounts.models.trust_policy import TrustPolicy

__all__ = [
    "Account",
    "ApiToken",
    "AuditEvent",
    "AuditSeal",
    "Denial",
    "DropCounter",
    "GroupRole",
    "IdTokenIssuer",
    "Invitation",
    "InvitationState",
    "Member",
    "OperatorLink",
    "OutgoingMail",
    "Person",
    "RefusedIdToken",
    "RegistryUser",
    "Secret",
    "SecurityEvent",
    "SignInPolicy",
    "TrustPolicy",
]
