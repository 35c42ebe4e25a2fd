"""One application of a retention rule: begun by the schedule or a person, decided once, and done by the worker."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.fair_share import in_turns
from accounts.principal import Principal
from namespaces.models import Image
from registry_sync import jobs, leases
from registry_sync.deletion import pull_through_cache
from registry_sync.deletion import service as deletion_service
from registry_sync.deletion.outcomes import SENTENCES, Outcome
from registry_sync.leases import LeaseHandle
from registry_sync.models import Removal, RemovalItem, RetentionRule, RetentionRun
from registry_sync.retention import preview, texts
from registry_sync.retention import service as retention_service
from registry_sync.retention.policy import Rule, doubt
from registry_sync.retention.preview import RetentionPreview
from registry_sync.retention.run_result import finish, finish_completed, requester

EVERY = timedelta(days=1)
AGAIN = timedelta(hours=1)  # after one that was skipped
ATTEMPTS_MAX = 5
PASS = 120  # seconds; what persons ask for waits meanwhile
LEASE = "retention"
SCHEDULE = "schedule"
State = RetentionRun.State

log = logging.getLogger(__name__)


def start(*, by: Principal, rule: RetentionRule) -> RetentionRun:
    """Now, on or off. The run under way, if there is one."""
    with transaction.atomic():
        row = RetentionRule.objects.select_for_update().select_related("namespace__account").get(pk=rule.pk)
        run = row.runs.filter(state=State.RUNNING).first()
        if not run:
            run = RetentionRun.objects.create(rule=row, requested_by=by.label[:254], requested_by_id=by.id)
            audit.record(by=by, action=AuditAction.RETENTION_STARTED, kind="retention", id=row.pk, label=str(row),
                         account=row.namespace.account)  # fmt: skip
        transaction.on_commit(jobs.wake_removals)
    return run


def plan_due() -> None:
    """Begin what is due by schedule, and decide what each run that has begun removes. One worker at a time."""
    now = timezone.now()
    _withdraw_of_the_closed()
    begun = RetentionRun.objects.filter(state=State.RUNNING, planned_at=None).order_by("id")
    enabled = RetentionRule.objects.filter(enabled=True, namespace__account__closed_at=None)
    if not begun.exists() and not enabled.exists():
        return
    try:
        with leases.hold(LEASE) as lease:
            if lease is None:
                return
            for rule in enabled:
                _begin_if_due(rule, now)
            ends = time.monotonic() + PASS
            for run in _in_turns(begun.all()):
                if time.monotonic() > ends:
                    break
                _try_to_plan(run, lease)
    except leases.LeaseLost:
        log.warning("another worker took the rules over")


def _withdraw_of_the_closed() -> None:
    closed = RetentionRule.objects.exclude(namespace__account__closed_at=None)
    for rule in closed.filter(runs__state=State.RUNNING).distinct():
        with transaction.atomic():
            retention_service.withdraw(rule, _("The account is closed, so nothing was done."))


def _begin_if_due(rule: RetentionRule, now: datetime) -> None:
    last = rule.runs.filter(requested_by=SCHEDULE).first()
    if rule.runs.filter(state=State.RUNNING).exists():
        return
    if last and now - last.started_at < (AGAIN if last.state == State.SKIPPED else EVERY):
        return
    if last and last.state == State.SKIPPED:
        last.delete()  # a registry that is away for a week is one line, not a hundred and sixty
    RetentionRun.objects.create(rule=rule, requested_by=SCHEDULE)


def _in_turns(begun: QuerySet[RetentionRun]) -> list[RetentionRun]:
    """Those that were tried least first, and of those each account's in its turn."""
    runs = begun.select_related("rule__namespace").order_by("attempts", "id")
    return sorted(in_turns(runs, lambda run: run.rule.namespace.account_id), key=lambda run: run.attempts)


def _try_to_plan(run: RetentionRun, lease: LeaseHandle) -> None:
    if run.attempts >= ATTEMPTS_MAX:
        words = _("It could not be decided in %(count)s attempts; see the panel’s log.")
        finish(run, State.FAILED, words % {"count": run.attempts}, [])
        return
    try:
        RetentionRun.objects.filter(pk=run.pk).update(attempts=F("attempts") + 1)
        _plan(run, lease)
    except leases.LeaseLost:
        raise
    except RetentionRule.DoesNotExist:
        log.info("a rule was deleted before its run was decided")
    except Exception as error:
        # One rule that cannot be decided must not stand before all others, nor before what persons ask for.
        log.exception("%s cannot be decided", run)
        finish(run, State.FAILED, type(error).__name__, [])


def _plan(run: RetentionRun, lease: LeaseHandle) -> None:
    row, now = run.rule, timezone.now()
    rule = retention_service.pure(row)
    with transaction.atomic():
        if problem := _withdrawn(run, rule):
            finish(run, State.SKIPPED, problem, [])
            return
    if refusal := pull_through_cache.refusal():
        finish(run, State.SKIPPED, refusal, [])
        return
    unsure = doubt(rule, preview.knowledge(), now)
    if unsure:
        finish(run, State.SKIPPED, texts.of_blocker(unsure), [])
        return
    found, left_out, unknown = _forecasts(row, rule, now, leases.rate_limited(lease.keep_alive))
    problem = " ".join([*([_left_out_words(left_out)] if left_out else []), *unknown])[:500]
    if problem and not found:
        finish(run, State.SKIPPED, problem, [])
        return
    with transaction.atomic():
        lease.keep_alive()
        if withdrawn := _withdrawn(run, rule):
            finish(run, State.SKIPPED, withdrawn, [])
            return
        # An image may have got a rule of its own meanwhile, which stands instead of this one.
        still = set(retention_service.images_of(row))
        found = [each for each in found if each.image.name in still]
        mine = RetentionRun.objects.filter(pk=run.pk, state=State.RUNNING, planned_at=None)
        if not mine.update(planned_at=now, kept=sum(each.tags_kept for each in found), problem=problem):
            return
        for each in found:
            _ask(run, each)
    finish_completed()  # it may have nothing to remove


def _forecasts(
    row: RetentionRule, rule: Rule, now: datetime, alive: Callable[[], None]
) -> tuple[list[RetentionPreview], list[str], list[str]]:
    """Return what it does to each image, the names of those of which too little is certain now, and sentences.

    There is a sentence for each image that holds what cannot be read.
    """
    found: list[RetentionPreview] = []
    left_out: list[str] = []
    unknown: list[str] = []
    images = Image.objects.select_related("namespace__account").filter(namespace=row.namespace)
    for name in retention_service.images_of(row):
        alive()
        image = images.filter(name=name).first()
        if image is None:
            continue
        if preview.trouble(image):
            left_out.append(name)
            continue
        each = preview.of(rule, image, now, alive=alive)
        if each.unread:
            unknown.append(each.unread)
        else:
            found.append(each)
    return found, left_out, unknown


def _left_out_words(names: list[str]) -> str:
    shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")  # noqa: PLR2004
    return _("Left out, because their tags are not known for certain now: %(images)s.") % {"images": shown}


def _locked(run: RetentionRun) -> RetentionRule:
    """Return the rule, locked until the commit."""
    rows = RetentionRule.objects.select_for_update().select_related("namespace__account")
    return rows.get(pk=run.rule_id)


def _withdrawn(run: RetentionRun, rule: Rule) -> str:
    """Why what was decided by `rule` must not be asked for any more. Locks the rule until the commit."""
    row = _locked(run)
    if row.namespace.account.closed_at:
        return _("The account is closed, so nothing was done.")
    if retention_service.pure(row) != rule or (_of_schedule(run) and not row.enabled):
        return str(SENTENCES[Outcome.WITHDRAWN])
    return ""


def _of_schedule(run: RetentionRun) -> bool:
    return run.requested_by == SCHEDULE and run.requested_by_id is None


def _ask(run: RetentionRun, found: RetentionPreview) -> None:
    by = requester(run)
    untag = [RemovalItem(tag=tag, digest=digest) for tag, digest in found.untagged]
    whole = [deletion_service.item_of(each) for each in found.deleted]
    for kind, items in ((Removal.Kind.UNTAG, untag), (Removal.Kind.DELETE, whole)):
        if items:
            deletion_service.create(by, found.image, kind, items, run_id=run.pk)
