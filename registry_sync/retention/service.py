"""Loads retention rules for a member of the account, and changes them."""

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

NUMBERS = ("keep_last", "keep_days", "keep_pulled_days")
CONDITIONS = (*NUMBERS, "keep_checked", "keep_pattern", "protect_pattern")
NUMBER_MAX = LIMIT[1].limit_value
PATTERN_MAX = 200


class Conditions(TypedDict, total=False):
    keep_last: int | None
    keep_days: int | None
    keep_pulled_days: int | None
    keep_checked: bool
    keep_pattern: str
    protect_pattern: str


NO_CONDITIONS = Conditions(
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


def conditions_of(row: RetentionRule) -> Conditions:
    return {name: getattr(row, name) for name in CONDITIONS}  # type: ignore[return-value]


def rule_of(row: RetentionRule) -> Rule:
    return Rule(**conditions_of(row))


def images_of(row: RetentionRule) -> list[str]:
    """Return the names of the images that it covers: its own, or all that have no rule of their own."""
    images = Image.objects.filter(namespace=row.namespace, tag_count__gt=0)
    if row.image_name:
        images = images.filter(name=row.image_name)
    else:
        own = RetentionRule.objects.filter(namespace=row.namespace).exclude(image_name="")
        images = images.exclude(name__in=own.values("image_name"))
    return list(images.order_by("name").values_list("name", flat=True))


@transaction.atomic
def create(*, by: Principal, namespace: Namespace, image_name: str, conditions: Conditions) -> RetentionRule:
    """Create a disabled rule: people look at its preview before they enable it."""
    conditions = {**NO_CONDITIONS, **conditions}
    _check(conditions)
    if image_name and (problem := image_problem(image_name, namespace=namespace.name)):
        raise Invalid.on("image_name", translate(problem))
    make_room(RETENTION_RULES, namespace.account, field="image_name")
    try:
        with transaction.atomic():
            row = RetentionRule.objects.create(namespace=namespace, image_name=image_name, **conditions)
    except IntegrityError:
        raise Conflict.on("image_name", _("There is a rule for this already; change that one.")) from None
    _record(by, row, AuditAction.RETENTION_CREATED, after=_nonempty_conditions(row))
    return row


@transaction.atomic
def change(*, by: Principal, rule: RetentionRule, conditions: Conditions) -> RetentionRule:
    """Change `conditions`; others stay. An enabled rule is disabled: nobody has seen what it would remove now."""
    row = _locked(rule)
    before = _nonempty_conditions(row)
    for name, value in conditions.items():
        setattr(row, name, value)
    _check(conditions_of(row))
    row.enabled = row.enabled and _nonempty_conditions(row) == before
    row.save()
    if _nonempty_conditions(row) != before:
        withdraw(row, SENTENCES[Outcome.WITHDRAWN])
    _record(by, row, AuditAction.RETENTION_CHANGED, before=before, after=_nonempty_conditions(row))
    return row


@transaction.atomic
def set_enabled(*, by: Principal, rule: RetentionRule, enabled: bool) -> RetentionRule:
    row = _locked(rule)
    if row.enabled != enabled:
        row.enabled = enabled
        row.save(update_fields=["enabled"])
        if not enabled:
            withdraw(row, SENTENCES[Outcome.WITHDRAWN])
        _record(by, row, AuditAction.RETENTION_ENABLED if enabled else AuditAction.RETENTION_DISABLED)
    return row


def disable_by_system(row: RetentionRule, why: str, facts: dict[str, int]) -> None:
    """Disable the rule because of `why`, with no person acting; `facts` are audited. The caller has locked it."""
    row.enabled = False
    row.save(update_fields=["enabled"])
    withdraw(row, why)
    _record(SYSTEM, row, AuditAction.RETENTION_DISABLED, after=facts)


def remove(*, by: Principal, rule: RetentionRule) -> None:
    """Delete it. Raise Conflict while the worker is still removing something for it, whose record must stay.

    The rule is then disabled, and nothing more is started.
    """
    with transaction.atomic():
        row = _locked(rule)
        withdraw(row, SENTENCES[Outcome.WITHDRAWN])
        busy = RemovalItem.objects.filter(removal__run__rule=row, state=RemovalItem.State.WAITING).exists()
        if not busy:
            for run in row.runs.filter(state=RetentionRun.State.RUNNING):
                run_result.finish(run)
            _record(by, row, AuditAction.RETENTION_DELETED, before=_nonempty_conditions(row))
            row.delete()
        elif row.enabled:
            row.enabled = False
            row.save(update_fields=["enabled"])
            _record(by, row, AuditAction.RETENTION_DISABLED)
    if busy:
        raise Conflict.on(
            "",
            _(
                "A run of this rule is removing something right now. The rule is off; wait until the run "
                "has ended, then delete it."
            ),
        )


def _locked(rule: RetentionRule) -> RetentionRule:
    """Lock it until the commit. Raise NotFound when somebody deleted it meanwhile."""
    rows = RetentionRule.objects.select_for_update().select_related("namespace__account")
    if not (row := rows.filter(pk=rule.pk).first()):
        raise NotFound
    return row


def withdraw(row: RetentionRule, why: str) -> None:
    """Cancel what the rule requested and no worker has started, and skip its runs that are not planned yet."""
    now = timezone.now()
    unplanned = row.runs.filter(state=RetentionRun.State.RUNNING, planned_at=None)
    unplanned.update(state=RetentionRun.State.SKIPPED, problem=why, finished_at=now)
    waiting = RemovalItem.objects.filter(
        removal__run__rule=row, state=RemovalItem.State.WAITING, started_at=None
    )
    waiting.update(state=RemovalItem.State.STOPPED, outcome=Outcome.WITHDRAWN, finished_at=now)


def _check(conditions: Conditions) -> None:
    problems: dict[str, list[str]] = {}
    for name in NUMBERS:
        value: Any = conditions.get(name)
        if value is not None and not 1 <= value <= NUMBER_MAX:
            problems[name] = [_("Between 1 and %(most)s.") % {"most": NUMBER_MAX}]
    for name in ("keep_pattern", "protect_pattern"):
        text = str(conditions.get(name) or "")
        parts = text.replace(",", " ").split()
        if len(text) > PATTERN_MAX or not all(TAG.fullmatch(_as_tag(part)) for part in parts):
            problems[name] = [
                _(
                    "Enter tag names, with * for any text and ? for one character. Separate several with "
                    "spaces."
                )
            ]
    if not problems and not Rule(**conditions).keeps_something:
        problems[""] = [
            _("Enter at least one thing to keep: a rule that keeps nothing would remove nothing.")
        ]
    if problems:
        raise Invalid(problems)


def _as_tag(pattern: str) -> str:
    return pattern.replace("*", "a").replace("?", "a")


def _nonempty_conditions(row: RetentionRule) -> dict[str, Any]:
    return {name: getattr(row, name) for name in CONDITIONS if getattr(row, name)}


def _record(
    by: Principal,
    row: RetentionRule,
    action: AuditAction,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        by=by, action=action, kind="retention", id=row.pk, label=str(row), account=row.namespace.account,
        before=before, after=after,
    )  # fmt: skip
