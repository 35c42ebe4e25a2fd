"""Stores how a retention run ended, once, in the run and in the audit log."""

from collections import Counter

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.lazy_text import joined
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.principal import RETENTION, Kind, Principal
from namespaces.webhooks import outbox
from namespaces.webhooks.event_types import EventType
from registry_sync.deletion.outcomes import in_short
from registry_sync.models import Removal, RemovalItem, RetentionRun

REMOVED_STORED_MAX = 1000
State = RetentionRun.State


def finish_completed() -> None:
    """Finish each run whose removals have all finished.

    A run that a killed worker left is found the next time. Each run is finished once, whichever worker comes second.
    """
    planned = RetentionRun.objects.filter(state=State.RUNNING).exclude(planned_at=None)
    waiting = Removal.objects.filter(run=OuterRef("pk"), state=Removal.State.WAITING)
    for run in planned.exclude(Exists(waiting)).select_related("rule__namespace__account"):
        finish(run)


def finish(run: RetentionRun) -> None:
    """Finish the run with what its removals have done until now."""
    rows = RemovalItem.objects.filter(removal__run=run).select_related("removal__image__namespace")
    items = list(rows.order_by("id"))
    removed = [each for item in items if item.state == RemovalItem.State.DONE for each in _removed_tags(item)]
    not_done = Counter(item.outcome for item in items if item.state != RemovalItem.State.DONE)
    problems = [run.problem]
    if not_done:
        problems.append(
            ngettext(
                "%(n)s could not be removed: %(why)s.",
                "%(n)s could not be removed: %(why)s.",
                sum(not_done.values()),
                why=in_short(not_done),
            )
        )
    state = State.FAILED if not_done and not removed else State.DONE
    store_result(run, state, joined(problems), removed)


@transaction.atomic
def store_result(
    run: RetentionRun, state: RetentionRun.State, problem: str, removed: list[dict[str, str]]
) -> None:
    mine = RetentionRun.objects.filter(pk=run.pk, state=State.RUNNING)
    ended = mine.update(
        state=state,
        problem=problem,
        finished_at=timezone.now(),
        removed=removed[:REMOVED_STORED_MAX],
        removed_count=len(removed),
    )
    if ended and state != State.SKIPPED:
        _tell_webhooks(run, state, problem, len(removed))
    if ended and removed:
        audit.record(
            by=requester(run), action=AuditAction.RETENTION_RAN, kind="retention", id=run.rule_id, label=str(run.rule),
            account=run.rule.namespace.account, after={"tags": str(len(removed))},
        )  # fmt: skip


def _tell_webhooks(run: RetentionRun, state: RetentionRun.State, problem: str, removed: int) -> None:
    rule = run.rule
    outbox.record(
        rule.namespace.account,
        EventType.RETENTION_FINISHED,
        subject=str(rule),
        data={
            "namespace": rule.namespace.name,
            "image": rule.image_name or None,
            "state": state.value,
            "removedTags": removed,
            "requestedBy": requester(run).label,
            "problem": str(problem) or None,
        },
        namespace=rule.namespace_id,
        image_name=rule.image_name,
    )


def requester(run: RetentionRun) -> Principal:
    if run.requested_by_id:
        return Principal(kind=Kind.PERSON, id=run.requested_by_id, label=run.requested_by)
    return RETENTION


def _removed_tags(item: RemovalItem) -> list[dict[str, str]]:
    tags = [item.tag] if item.tag else item.confirmed_dependents.get("tags", [])
    image = item.removal.image.repository
    return [{"image": image, "tag": tag, "digest": item.digest} for tag in tags]
