"""Rules, reasons and doubts in words for people."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry_sync.retention.policy import Decision, Doubt, Fate, Rule, Why


def of_rule(rule: Rule) -> list[str]:
    """Return what it keeps, a line each."""
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


def of_decision(decision: Decision, rule: Rule) -> str:
    if decision.fate is Fate.KEEP:
        return "; ".join(_reason(why, rule, decision) for why in decision.reasons)
    because = _("nothing in the rule keeps it")
    if decision.fate is Fate.UNTAG:
        return _("%(because)s; something else needs its image, so only the tags go") % {"because": because}
    return because


def of_doubt(doubt: Doubt) -> str:
    return {
        Doubt.NEVER_CHECKED: _("the registry has not been read completely yet"),
        Doubt.CHECK_FAILED: _("the last reading of the registry failed or was held"),
        Doubt.CHECK_OLD: _("the registry was last read completely more than 24 hours ago"),
        Doubt.PULLS_NEVER: _("the registry has never told of a pull, so nobody knows what is used"),
        Doubt.PULLS_SILENT: _(
            "the registry has told of no pull for more than four days, so pulls may be unknown"
        ),
        Doubt.PULLS_YOUNG: _(
            "the registry has not told of pulls, day after day, for as long as the rule looks back"
        ),
    }[doubt]


def _reason(why: Why, rule: Rule, decision: Decision) -> str:
    version = decision.version
    match why:
        case Why.PROTECTED:
            return _("protected by %(pattern)s") % {"pattern": rule.protect_pattern}
        case Why.PATTERN:
            return _("named like %(pattern)s") % {"pattern": rule.keep_pattern}
        case Why.LAST:
            return ngettext("the newest", "among the newest %(n)s", rule.keep_last or 0) % {
                "n": rule.keep_last
            }
        case Why.YOUNG:
            return _("pushed on %(day)s") % {"day": _day(version.pushed_at)}
        case Why.PULLED:
            return _("pulled on %(day)s") % {"day": _day(version.pulled_at)}
        case Why.CHECKED:
            return _("checked on %(day)s") % {"day": _day(version.checked_at)}
        case Why.PUSHED:
            return _("pushed on %(day)s, which counts as use") % {"day": _day(version.pushed_at)}
        case Why.NOT_WATCHED:
            return _("known only since %(day)s, so it may have been pulled before") % {
                "day": _day(version.first_seen_at)
            }
    return {
        Why.NO_RULE: _("the rule says nothing of what to keep, so it removes nothing"),
        Why.MISSING: _("missing from the registry’s last list, so nothing is certain about it"),
        Why.NOTHING_KEEPS: _("nothing in the rule keeps it"),
    }[why]


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT") if moment else ""
