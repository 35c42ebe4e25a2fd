"""What is made void once an installation came out of a backup: nobody knows what of it was used or withdrawn since."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.lazy_text import lazy as _
from accounts.models import Invitation
from accounts.principal import RESTORE
from namespaces.models import WebhookDelivery
from registry_sync.deletion import purge_service
from registry_sync.deletion.outcomes import SENTENCES, Outcome
from registry_sync.models import (
    Marker,
    Purge,
    Reclaim,
    Removal,
    RemovalItem,
    Restoration,
    RetentionRule,
    SyncRun,
)
from registry_sync.retention import service as retention


def make_safe(*, by: str, backup_at: datetime, backup_version: str, moved: bool) -> Restoration:
    """Void and turn off, request a full check, and record it, in the transaction that loaded the rows.

    `moved`: everything was stopped before the backup was made, so nothing was used or withdrawn since.
    """
    now = timezone.now()
    row = Restoration(at=now, by=by, backup_at=backup_at, backup_version=backup_version, moved=moved)
    if not moved:
        row.invitation_count = _void_invitations(now)
        row.recovery_code_count = _remove_recovery_codes()
        row.rule_count = _turn_off_rules()
        row.removal_count = _stop_removals(now)
        row.delivery_count = _stop_deliveries()
        _forget_evidence(now)
    row.save()
    SyncRun.objects.create(requested_by=str(RESTORE.label))
    audit.record(
        by=RESTORE, action=AuditAction.RESTORED, kind="backup", id=row.pk, label=backup_at.isoformat(),
        after={"by": by, "version": backup_version, "moved": moved},
    )  # fmt: skip
    return row


def _void_invitations(now: datetime) -> int:
    live = [each.pk for each in Invitation.objects.live(now)]
    return Invitation.objects.filter(pk__in=live).update(voided_at=now)


def _remove_recovery_codes() -> int:
    """Return of how many people. Each code works once, and may have been used since."""
    codes = Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES)
    count = int(codes.count())
    codes.delete()
    return count


def _turn_off_rules() -> int:
    """Because a rule may have been changed since, and because pulls since then are not known."""
    rules = RetentionRule.objects.select_related("namespace__account").filter(enabled=True)
    for rule in rules:
        retention.disable_by_system(rule, SENTENCES[Outcome.RESTORED], {})
    return len(rules)


def _stop_removals(now: datetime) -> int:
    """Stop what no worker has begun, and return how many. The rest goes on: half of it would stay in the registry."""
    purges = Purge.objects.filter(state=Purge.State.WAITING)
    for purge in purges:
        purge_service.stop(by=RESTORE, purge=purge)
    # A namespace that was emptied may have been restored or pushed into since, and its end may have passed.
    emptied = Purge.objects.filter(state=Purge.State.EMPTIED).update(state=Purge.State.DONE, ends_at=None)
    waiting = RemovalItem.objects.filter(state=RemovalItem.State.WAITING, started_at=None)
    removals = Removal.objects.filter(items__in=waiting).distinct().count()
    waiting.update(state=RemovalItem.State.STOPPED, outcome=Outcome.RESTORED, finished_at=now)
    return len(purges) + emptied + removals


def _stop_deliveries() -> int:
    """Send no message of before: whether its receiver has had it is not known. The log says so, and can send it."""
    waiting = WebhookDelivery.objects.filter(state=WebhookDelivery.State.WAITING)
    return waiting.update(
        state=WebhookDelivery.State.FAILED,
        due_at=None,
        problem=_("The panel was restored from a backup, which does not say whether this was sent."),
    )


def _forget_evidence(now: datetime) -> None:
    """End what was read halfway, and forget since when pulls were reported: those since then were not."""
    unfinished = SyncRun.objects.filter(state__in=(SyncRun.State.WAITING, SyncRun.State.RUNNING))
    unfinished.update(
        state=SyncRun.State.FAILED, finished_at=now, problem=_("the panel was restored from a backup")
    )
    Reclaim.objects.filter(finished_at=None).update(
        state=Reclaim.State.STOPPED, finished_at=now, problem=_("the panel was restored from a backup")
    )
    Marker.objects.filter(name__in=(Marker.PULLS, Marker.PULLS_SINCE)).delete()
