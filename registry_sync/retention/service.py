"""Retention rules: loading them through the membership, and changing them."""

from typing import Any, TypedDict

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.limits import make_room
from accounts.principal import SYSTEM, Principal
from accounts.roles import Permission
from namespaces import permissions
from namespaces.models import Image, Namespace
from namespaces.names import TAG, image_problem
from registry_sync.deletion.outcomes import SENTENCES, Outcome
from registry_sync.limits import RETENTION_RULES
from registry_sync.models import RemovalItem, RetentionRule, RetentionRun
from registry_sync.models.retention import LIMIT
from registry_sync.retention import run_result
from registry_sync.retention.policy import Rule

DAYS = ("keep_last", "keep_days", "keep_pulled_days")
LINES = (*DAYS, "keep_checked", "keep_pattern", "protect_pattern")
MOST = LIMIT[1].limit_value
PATTERN_MAX = 200


class Lines(TypedDict, total=False):
    keep_last: int | None
    keep_days: int | None
    keep_pulled_days: int | None
    keep_checked: bool
    keep_pattern: str
    protect_pattern: str


NO_LINES = Lines(
    keep_last=None,
    keep_days=None,
    keep_pulled_days=None,
    keep_checked=False,
    keep_pattern="",
    protect_pattern="",
)


def load(
    by: Principal,
    handle: str,
    namespace: str,
    id: int,  # noqa: A002
    permission: Permission = Permission.ACCOUNT_VIEW,
) -> RetentionRule:
    owner = permissions.namespace(by, handle, namespace, permission)
    found = RetentionRule.objects.filter(namespace=owner, pk=id).first()
    if not found:
        raise NotFound
    found.namespace = owner
    return found


def lines_of(row: RetentionRule) -> Lines:
    return {name: getattr(row, name) for name in LINES}  # type: ignore[return-value]


def pure(row: RetentionRule) -> Rule:
    return Rule(**lines_of(row))


def images_of(row: RetentionRule) -> list[str]:
    """Return the images it is for: its own, or all of the namespace that have no rule of their own. By name."""
    images = Image.objects.filter(namespace=row.namespace, tag_count__gt=0)
    if row.image_name:
        images = images.filter(name=row.image_name)
    else:
        own = RetentionRule.objects.filter(namespace=row.namespace).exclude(image_name="")
        images = images.exclude(name__in=own.values("image_name"))
    return list(images.order_by("name").values_list("name", flat=True))


@transaction.atomic
def create(*, by: Principal, namespace: Namespace, image_name: str, lines: Lines) -> RetentionRule:
    """Off: what it would remove is looked at first."""
    lines = {**NO_LINES, **lines}
    _check(lines)
    if image_name and (problem := image_problem(image_name, namespace=namespace.name)):
        raise Invalid.on("image_name", translate(problem))
    make_room(RETENTION_RULES, namespace.account, field="image_name")
    try:
        with transaction.atomic():
            row = RetentionRule.objects.create(namespace=namespace, image_name=image_name, **lines)
    except IntegrityError:
        raise Conflict.on("image_name", _("There is a rule for this already; change that one.")) from None
    _record(by, row, AuditAction.RETENTION_CREATED, after=_facts(row))
    return row


@transaction.atomic
def change(*, by: Principal, rule: RetentionRule, lines: Lines) -> RetentionRule:
    """Change `lines`; others stay. A rule that is on goes off: what it would remove now was not looked at."""
    row = _locked(rule)
    before = _facts(row)
    for name, value in lines.items():
        setattr(row, name, value)
    _check(lines_of(row))
    row.enabled = row.enabled and _facts(row) == before
    row.save()
    if _facts(row) != before:
        withdraw(row, str(SENTENCES[Outcome.WITHDRAWN]))
    _record(by, row, AuditAction.RETENTION_CHANGED, before=before, after=_facts(row))
    return row


@transaction.atomic
def switch(*, by: Principal, rule: RetentionRule, on: bool) -> RetentionRule:
    row = _locked(rule)
    if row.enabled != on:
        row.enabled = on
        row.save(update_fields=["enabled"])
        if not on:
            withdraw(row, str(SENTENCES[Outcome.WITHDRAWN]))
        _record(by, row, AuditAction.RETENTION_ENABLED if on else AuditAction.RETENTION_DISABLED)
    return row


def switch_off(row: RetentionRule, why: str) -> None:
    """By the panel itself. The caller has locked it."""
    row.enabled = False
    row.save(update_fields=["enabled"])
    withdraw(row, why)
    _record(SYSTEM, row, AuditAction.RETENTION_DISABLED, after={"because": why})


def remove(*, by: Principal, rule: RetentionRule) -> None:
    """Remove it. Raise Conflict while the worker is at something that it asked for: the record of that must not go.

    It is off then, and nothing more of it is begun.
    """
    with transaction.atomic():
        row = _locked(rule)
        withdraw(row, str(SENTENCES[Outcome.WITHDRAWN]))
        busy = RemovalItem.objects.filter(removal__run__rule=row, state=RemovalItem.State.WAITING).exists()
        if not busy:
            for run in row.runs.filter(state=RetentionRun.State.RUNNING):
                run_result.conclude(run)
            _record(by, row, AuditAction.RETENTION_DELETED, before=_facts(row))
            row.delete()
        elif row.enabled:
            row.enabled = False
            row.save(update_fields=["enabled"])
            _record(by, row, AuditAction.RETENTION_DISABLED)
    if busy:
        raise Conflict.on(
            "",
            _(
                "A run of this rule is removing something just now. The rule is off; wait until the run has ended, "
                "then delete it."
            ),
        )


def _locked(rule: RetentionRule) -> RetentionRule:
    """Lock it. Raise NotFound for one that somebody else removed meanwhile."""
    rows = RetentionRule.objects.select_for_update().select_related("namespace__account")
    if not (row := rows.filter(pk=rule.pk).first()):
        raise NotFound
    return row


def withdraw(row: RetentionRule, why: str) -> None:
    """Withdraw what it asked for and nobody has begun yet; a run that has not decided yet never will."""
    now = timezone.now()
    undecided = row.runs.filter(state=RetentionRun.State.RUNNING, planned_at=None)
    undecided.update(state=RetentionRun.State.SKIPPED, problem=why[:500], finished_at=now)
    waiting = RemovalItem.objects.filter(
        removal__run__rule=row, state=RemovalItem.State.WAITING, started_at=None
    )
    waiting.update(state=RemovalItem.State.STOPPED, outcome=Outcome.WITHDRAWN, finished_at=now)


def _check(lines: Lines) -> None:
    problems: dict[str, list[str]] = {}
    for name in DAYS:
        value: Any = lines.get(name)
        if value is not None and not 1 <= value <= MOST:
            problems[name] = [_("Between 1 and %(most)s.") % {"most": MOST}]
    for name in ("keep_pattern", "protect_pattern"):
        text = str(lines.get(name) or "")
        parts = text.replace(",", " ").split()
        if len(text) > PATTERN_MAX or not all(TAG.fullmatch(_as_tag(part)) for part in parts):
            problems[name] = [
                _("Names of tags, with * for any text and ? for one character; spaces between several.")
            ]
    if not problems and not Rule(**lines).keeps_something:
        problems[""] = [_("Say at least one thing to keep: a rule that keeps nothing would remove nothing.")]
    if problems:
        raise Invalid(problems)


def _as_tag(pattern: str) -> str:
    return pattern.replace("*", "a").replace("?", "a")


def _facts(row: RetentionRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in LINES if getattr(row, name)}


def _record(
    by: Principal, row: RetentionRule, action: AuditAction, *, before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    audit.record(
        by=by, action=action, kind="retention", id=row.pk, label=str(row), account=row.namespace.account,
        before=before, after=after,
    )  # fmt: skip
