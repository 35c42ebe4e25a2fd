"""Cells of the list of what a user did, and the steps of a proposal."""

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from namespaces import grant_text
from namespaces.access import Action
from namespaces.ledger.shrinking import Proposal
from namespaces.ledger.smallest import Given, Step
from namespaces.models import LedgerTotal
from namespaces.selectors import GrantLine

register = template.Library()


@register.filter
def how_often(total: LedgerTotal) -> str:
    """Return "812 pulls", or that it was only asked for."""
    number = total.confirmed_count
    if number and total.action == Action.PULL:
        return ngettext("%(shown)s pull", "%(shown)s pulls", number) % {"shown": intcomma(number)}
    if number:
        return ngettext("%(n)s push", "%(n)s pushes", number) % {"n": intcomma(number)}
    text = ngettext("%(n)s token, no use seen", "%(n)s tokens, no use seen", total.count)
    return text % {"n": intcomma(total.count)}


@register.simple_tag
def step_text(proposal: Proposal, step: Step) -> str:
    """Return "Change write on team/api to read on team/api"."""
    before, after = _text(proposal, step, step.before), _text(proposal, step, step.after)
    if not before:
        return _("Add %(after)s") % {"after": after}
    if not after:
        return _("Remove %(before)s") % {"before": before}
    return _("Change %(before)s to %(after)s") % {"before": before, "after": after}


def _text(proposal: Proposal, step: Step, given: Given | None) -> str:
    if not given:
        return ""
    name = proposal.namespaces[step.place.namespace].name
    return grant_text.summary([GrantLine(given.level, name, step.place.image_name, given.expires_at)])
