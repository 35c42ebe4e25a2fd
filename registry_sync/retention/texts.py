"""Rules, reasons and blockers as text for people."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.common.lazy_text import joined
from accounts.common.lazy_text import lazy as gettext_lazy
from accounts.common.translation import translate
from registry_sync.retention.policy import Blocker, Decision, Reason, Rule, VersionDecision
from registry_sync.retention.summary import ReasonGroup

NAMED_MAX = 3
BLOCKERS = {
    Blocker.NEVER_CHECKED: gettext_lazy("the registry has not been read completely yet"),
    Blocker.CHECK_FAILED: gettext_lazy("the last check of the registry failed or needs approval"),
    Blocker.CHECK_OLD: gettext_lazy("the registry was last read completely more than 24 hours ago"),
    Blocker.PULLS_NEVER: gettext_lazy(
        "the registry has never reported a pull, so nobody knows what is in use"
    ),
    Blocker.PULLS_SILENT: gettext_lazy(
        "the registry has reported no pull for more than four days, so pulls may be unknown"
    ),
    Blocker.PULLS_YOUNG: gettext_lazy(
        "the registry has not reported pulls every day for as long as the rule looks back"
    ),
}


def of_rule(rule: Rule) -> list[str]:
    """Return what the rule keeps, one text for each condition."""
    found = []
    if rule.keep_last:
        found.append(
            ngettext("the newest version", "the newest %(n)s versions", rule.keep_last)
            % {"n": rule.keep_last}
        )
    if rule.keep_days:
        found.append(
            ngettext("pushed within the last day", "pushed within the last %(n)s days", rule.keep_days)
            % {"n": rule.keep_days}
        )
    if rule.keep_pulled_days:
        found.append(
            ngettext(
                "pulled or pushed within the last day",
                "pulled or pushed within the last %(n)s days",
                rule.keep_pulled_days,
            )
            % {"n": rule.keep_pulled_days}
        )
        if rule.keep_checked:
            found.append(_("or checked within that time"))
    if rule.keep_pattern:
        found.append(_("named like %(pattern)s") % {"pattern": rule.keep_pattern})
    return found


def of_decision(decision: VersionDecision, rule: Rule) -> str:
    reasons = [
        _outcome_text(decision.decision, _reason_text(reason, rule, decision)) for reason in decision.reasons
    ]
    return translate(joined(reasons, gettext_lazy("%(first)s; %(next)s")))


def of_group(group: ReasonGroup, rule: Rule) -> str:
    """Return why the versions of a group go or stay, for all of them at once."""
    return _outcome_text(group.decision, _period_text(group.reason, rule))


def of_removed_though_used(removed: list[VersionDecision]) -> str:
    """Return the warning, "" for none."""
    if not removed:
        return ""
    text = ngettext(
        "It would remove %(n)s version that was pulled in the last 30 days: %(names)s.",
        "It would remove %(n)s versions that were pulled in the last 30 days, such as %(names)s.",
        len(removed),
    )
    return text % {"n": len(removed), "names": ", ".join(each.version.name for each in removed[:NAMED_MAX])}


def _outcome_text(decision: Decision, because: str) -> str:
    if decision is not Decision.UNTAG:
        return because
    text = _("%(because)s; something else needs its image, so only the tags are removed")
    return text % {"because": because}


def _reason_text(reason: Reason, rule: Rule, decision: VersionDecision) -> str:
    version = decision.version
    match reason:
        case Reason.YOUNG:
            return _("pushed on %(day)s") % {"day": _day(version.pushed_at)}
        case Reason.PULLED:
            return _("pulled on %(day)s") % {"day": _day(version.pulled_at)}
        case Reason.CHECKED:
            return _("checked on %(day)s") % {"day": _day(version.checked_at)}
        case Reason.PUSHED:
            return _("pushed on %(day)s, which counts as use") % {"day": _day(version.pushed_at)}
        case Reason.NOT_WATCHED:
            return _("known only since %(day)s, so it may have been pulled before") % {
                "day": _day(version.first_seen_at)
            }
    return _undated_text(reason, rule)


def _period_text(reason: Reason, rule: Rule) -> str:
    """As `_reason_text`, without the day of a version."""
    days = rule.keep_days if reason is Reason.YOUNG else rule.keep_pulled_days
    match reason:
        case Reason.YOUNG:
            text = ngettext("pushed within the last day", "pushed within the last %(n)s days", days or 0)
        case Reason.PULLED:
            text = ngettext("pulled within the last day", "pulled within the last %(n)s days", days or 0)
        case Reason.CHECKED:
            text = ngettext("checked within the last day", "checked within the last %(n)s days", days or 0)
        case Reason.PUSHED:
            text = ngettext(
                "pushed within the last day, which counts as use",
                "pushed within the last %(n)s days, which counts as use",
                days or 0,
            )
        case Reason.NOT_WATCHED:
            text = ngettext(
                "known for less than a day, so it may have been pulled before",
                "known for less than %(n)s days, so it may have been pulled before",
                days or 0,
            )
        case _unused:
            return _undated_text(reason, rule)
    return text % {"n": days}


def _undated_text(reason: Reason, rule: Rule) -> str:
    match reason:
        case Reason.PROTECTED:
            return _("protected by %(pattern)s") % {"pattern": rule.protect_pattern}
        case Reason.PATTERN:
            return _("named like %(pattern)s") % {"pattern": rule.keep_pattern}
        case Reason.LAST:
            text = ngettext("the newest", "among the newest %(n)s", rule.keep_last or 0)
            return text % {"n": rule.keep_last}
        case Reason.NO_RULE:
            return _("the rule does not say what to keep, so it removes nothing")
        case Reason.MISSING:
            return _("missing from the registry’s last list, so nothing is certain about it")
    return _("nothing in the rule keeps it")


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT") if moment else ""
