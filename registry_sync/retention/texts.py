"""Rules, reasons and blockers as text for people."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry_sync.retention.policy import Blocker, Decision, Reason, Rule, VersionDecision


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
    if decision.decision is Decision.KEEP:
        return "; ".join(_reason_text(reason, rule, decision) for reason in decision.reasons)
    because = _("nothing in the rule keeps it")
    if decision.decision is Decision.UNTAG:
        return _("%(because)s; something else needs its image, so only the tags are removed") % {
            "because": because
        }
    return because


def of_blocker(blocker: Blocker) -> str:
    return {
        Blocker.NEVER_CHECKED: _("the registry has not been read completely yet"),
        Blocker.CHECK_FAILED: _("the last check of the registry failed or needs approval"),
        Blocker.CHECK_OLD: _("the registry was last read completely more than 24 hours ago"),
        Blocker.PULLS_NEVER: _("the registry has never reported a pull, so nobody knows what is in use"),
        Blocker.PULLS_SILENT: _(
            "the registry has reported no pull for more than four days, so pulls may be unknown"
        ),
        Blocker.PULLS_YOUNG: _(
            "the registry has not reported pulls every day for as long as the rule looks back"
        ),
    }[blocker]


def _reason_text(reason: Reason, rule: Rule, decision: VersionDecision) -> str:
    version = decision.version
    match reason:
        case Reason.PROTECTED:
            return _("protected by %(pattern)s") % {"pattern": rule.protect_pattern}
        case Reason.PATTERN:
            return _("named like %(pattern)s") % {"pattern": rule.keep_pattern}
        case Reason.LAST:
            return ngettext("the newest", "among the newest %(n)s", rule.keep_last or 0) % {
                "n": rule.keep_last
            }
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
    return {
        Reason.NO_RULE: _("the rule does not say what to keep, so it removes nothing"),
        Reason.MISSING: _("missing from the registry’s last list, so nothing is certain about it"),
        Reason.NOTHING_KEEPS: _("nothing in the rule keeps it"),
    }[reason]


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT") if moment else ""
