"""Retention runs: started by the schedule or a person, planned once, and carried out by the worker."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.fair_share import in_turns
from accounts.common.lazy_text import joined
from accounts.common.lazy_text import lazy as _
from accounts.principal import Principal
from namespaces.models import Image
from registry_sync import jobs, leases
from registry_sync.deletion import pull_through_cache
from registry_sync.deletion import service as deletion_service
from registry_sync.deletion.outcomes import SENTENCES, Outcome, undecided
from registry_sync.leases import LeaseHandle
from registry_sync.models import Removal, RemovalItem, RetentionRule, RetentionRun
from registry_sync.retention import preview
from registry_sync.retention import service as retention_service
from registry_sync.retention.policy import Rule, find_blocker
from registry_sync.retention.preview import RetentionPreview
from registry_sync.retention.run_result import finish_completed, requester, store_result
from registry_sync.retention.texts import BLOCKERS

RUN_EVERY = timedelta(days=1)
RETRY_SKIPPED_AFTER = timedelta(hours=1)  # after one that was skipped
ATTEMPTS_MAX = 5
LEFT_OUT_SHOWN, BLOCKED_SHOWN = 10, 3
PASS_SECONDS = 120  # removals that people requested wait meanwhile
LEASE = "retention"
SCHEDULE = gettext_noop("schedule")
State = RetentionRun.State

# Of rules that run: nobody could pull what a suspended account has, so all of it would look unused.
_SERVED = Q(namespace__account__closed_at=None, namespace__account__suspended_at=None)

log = logging.getLogger(__name__)


def start(*, by: Principal, rule: RetentionRule) -> RetentionRun:
    """Start a run now, of an enabled or disabled rule. Return the run under way, if there is one."""
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
    """Start the runs that are due by schedule, and plan each started run. One worker at a time."""
    now = timezone.now()
    _withdraw_runs_of_accounts_at_rest()
    unplanned = RetentionRun.objects.filter(state=State.RUNNING, planned_at=None).order_by("id")
    enabled = RetentionRule.objects.filter(_SERVED, enabled=True)
    if not unplanned.exists() and not enabled.exists():
        return
    try:
        with leases.hold(LEASE) as lease:
            if lease is None:
                return
            for rule in enabled:
                _start_if_due(rule, now)
            ends = time.monotonic() + PASS_SECONDS
            for run in _in_turns(unplanned.all()):
                if time.monotonic() > ends:
                    break
                _try_to_plan(run, lease)
    except leases.LeaseLost:
        log.warning("another worker took the rules over")


def _withdraw_runs_of_accounts_at_rest() -> None:
    resting = RetentionRule.objects.exclude(_SERVED).select_related("namespace__account")
    for rule in resting.filter(runs__state=State.RUNNING).distinct():
        with transaction.atomic():
            retention_service.withdraw(rule, _why_at_rest(rule))


def _why_at_rest(rule: RetentionRule) -> str:
    """Return why no rule of its account runs; "" where they do."""
    if rule.namespace.account.closed_at:
        return _("The account is closed, so nothing was done.")
    if rule.namespace.account.suspended_at:
        return _("The account is suspended, so nothing was done.")
    return ""


def _start_if_due(rule: RetentionRule, now: datetime) -> None:
    last = rule.runs.filter(requested_by=SCHEDULE).first()
    if rule.runs.filter(state=State.RUNNING).exists():
        return
    if last and now - last.started_at < (RETRY_SKIPPED_AFTER if last.state == State.SKIPPED else RUN_EVERY):
        return
    if last and last.state == State.SKIPPED:
        last.delete()  # a registry that is down for a week leaves one run, not a hundred and sixty
    RetentionRun.objects.create(rule=rule, requested_by=SCHEDULE)


def _in_turns(unplanned: QuerySet[RetentionRun]) -> list[RetentionRun]:
    """Return runs by the number of attempts, and among equals account by account."""
    runs = unplanned.select_related("rule__namespace").order_by("attempts", "id")
    return sorted(in_turns(runs, lambda run: run.rule.namespace.account_id), key=lambda run: run.attempts)


def _try_to_plan(run: RetentionRun, lease: LeaseHandle) -> None:
    if run.attempts >= ATTEMPTS_MAX:
        store_result(run, State.FAILED, undecided(run.attempts), [])
        return
    try:
        RetentionRun.objects.filter(pk=run.pk).update(attempts=F("attempts") + 1)
        _plan(run, lease)
    except leases.LeaseLost:
        raise
    except RetentionRule.DoesNotExist:
        log.info("a rule was deleted before its run was planned")
    except Exception as error:
        # One rule that cannot be planned must not hold up the others, nor what people requested.
        log.exception("%s cannot be planned", run)
        store_result(run, State.FAILED, type(error).__name__, [])


def _plan(run: RetentionRun, lease: LeaseHandle) -> None:
    row, now = run.rule, timezone.now()
    rule = retention_service.rule_of(row)
    with transaction.atomic():
        if problem := _why_withdrawn(run, rule):
            store_result(run, State.SKIPPED, problem, [])
            return
    if refusal := pull_through_cache.refusal():
        store_result(run, State.SKIPPED, refusal, [])
        return
    blocker = find_blocker(rule, preview.load_evidence(), now)
    if blocker:
        store_result(run, State.SKIPPED, BLOCKERS[blocker], [])
        return
    previews, left_out, blocked = _preview_images(row, rule, now, leases.rate_limited(lease.keep_alive))
    problem = joined([_left_out_text(left_out), *blocked[:BLOCKED_SHOWN]])
    if problem and not previews:
        store_result(run, State.SKIPPED, problem, [])
        return
    with transaction.atomic():
        lease.keep_alive()
        if withdrawn := _why_withdrawn(run, rule):
            store_result(run, State.SKIPPED, withdrawn, [])
            return
        # An image may have been given a rule of its own meanwhile, which replaces this one.
        covered = set(retention_service.images_of(row))
        previews = [each for each in previews if each.image.name in covered]
        mine = RetentionRun.objects.filter(pk=run.pk, state=State.RUNNING, planned_at=None)
        if not mine.update(
            planned_at=now, kept=sum(each.kept_tag_count for each in previews), problem=problem
        ):
            return
        for each in previews:
            _create_removals(run, each)
    finish_completed()  # it may have nothing to remove


def _preview_images(
    row: RetentionRule, rule: Rule, now: datetime, alive: Callable[[], None]
) -> tuple[list[RetentionPreview], list[str], list[str]]:
    """Return the previews, the names of images that are uncertain now, and why other images are blocked."""
    previews: list[RetentionPreview] = []
    left_out: list[str] = []
    blocked: list[str] = []
    images = Image.objects.select_related("namespace__account").filter(namespace=row.namespace)
    for name in retention_service.images_of(row):
        alive()
        image = images.filter(name=name).first()
        if image is None:
            continue
        if preview.is_uncertain(image):
            left_out.append(name)
            continue
        each = preview.preview_image(rule, image, now, alive=alive)
        if each.blocked_reason:
            blocked.append(each.blocked_reason)
        else:
            previews.append(each)
    return previews, left_out, blocked


def _left_out_text(names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:LEFT_OUT_SHOWN]) + (" …" if len(names) > LEFT_OUT_SHOWN else "")
    return _("Left out, because their tags are not known for certain now: %(images)s.", images=shown)


def _locked(run: RetentionRun) -> RetentionRule:
    """Return the rule, locked until the commit."""
    rows = RetentionRule.objects.select_for_update().select_related("namespace__account")
    return rows.get(pk=run.rule_id)


def _why_withdrawn(run: RetentionRun, rule: Rule) -> str:
    """Lock the rule until the commit. Return why a plan by `rule` is no longer valid; "" while it is."""
    row = _locked(run)
    if why := _why_at_rest(row):
        return why
    if retention_service.rule_of(row) != rule or (_is_scheduled(run) and not row.enabled):
        return SENTENCES[Outcome.WITHDRAWN]
    return ""


def _is_scheduled(run: RetentionRun) -> bool:
    return run.requested_by == SCHEDULE and run.requested_by_id is None


def _create_removals(run: RetentionRun, planned: RetentionPreview) -> None:
    by = requester(run)
    untagged = [RemovalItem(tag=tag, digest=digest) for tag, digest in planned.untagged]
    deleted = [deletion_service.item_of(each) for each in planned.deletions]
    for kind, items in ((Removal.Kind.UNTAG, untagged), (Removal.Kind.DELETE, deleted)):
        if items:
            deletion_service.create(by, planned.image, kind, items, run_id=run.pk)
