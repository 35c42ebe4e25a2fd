"""Ends what leaked, at once: a leaked password is worse than none that works."""

from django.db import transaction
from django.utils import timezone

from accounts import audit, leak_mail, security_events
from accounts.audit_actions import AuditAction
from accounts.models import ApiToken, Secret
from accounts.principal import Kind as ActorKind
from accounts.principal import Principal
from accounts.security_events import Kind
from accounts.services import passwords


def reporter(address: str) -> Principal:
    """Return who ends what was reported without signing in."""
    return Principal(kind=ActorKind.SYSTEM, id=None, label="leak report", address=address)


@transaction.atomic
def end(*, by: Principal, row: Secret | ApiToken) -> bool:
    """End it and tell its owners by mail. False where somebody else did meanwhile, or it had ended."""
    if isinstance(row, Secret):
        ended = passwords.end_leaked(by=by, secret=row)
        if ended:
            leak_mail.tell_owners(by=by, row=row)
        return ended
    locked = ApiToken.objects.select_for_update().filter(pk=row.pk).first()
    if not locked or (locked.expires_at and locked.expires_at <= timezone.now()):
        return False
    audit.record(by=by, action=AuditAction.API_TOKEN_LEAKED, kind="api_token", id=row.pk, label=row.name)
    security_events.note(person_id=row.person_id, kind=Kind.API_TOKEN_LEAKED, by=by, detail=row.name)
    leak_mail.tell_owners(by=by, row=row)
    locked.delete()
    return True
