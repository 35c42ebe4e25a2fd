"""What changes grants in a list of them: a level in each row, one button that saves all, and links that remove one."""

from urllib.parse import quote

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.html_text import fill, joined, prefill
from accounts.common.url_pattern import url_pattern
from accounts.templatetags import cells, formatting
from namespaces.models import Grant

register = template.Library()

# The name says which level was shown: what somebody else changed meanwhile is not changed back (views/permissions.py).
_LEVEL = """<select class="form-select w-auto" name="level-{id}-{shown}" form="levels"
    aria-label="{label}">{options}</select>"""
_SAVE = """<form id="levels" method="post" action="{url}">
  <input type="hidden" name="csrfmiddlewaretoken" value="{csrf_token}">
  <input type="hidden" name="next" value="{here}">
  <button class="btn" type="submit">{save}</button>
</form>"""
_OPTION = '<option value="{}"{}>{}</option>'
_SELECTED = SafeString(" selected")
_REMOVE = """<a class="btn btn-sm btn-outline-danger" href="{url}?next={here}" data-ask
    aria-label="{label}">{text}</a>"""


class GrantForms:
    """The forms of a page. Context: account; here, where they lead back to; why_not, why the reader may change none."""

    def __init__(self, context: RequestContext) -> None:
        handle = context["account"].handle
        self.remove_url = url_pattern("grant-remove", handle)
        here, self.why_not = context["here"], context["why_not"]
        self.levels = {name: formatting.word(name) for name in ("read", "write", "admin")}
        self.options = {
            chosen: joined(
                *(
                    fill(_OPTION, name, _SELECTED if name == chosen else "", text)
                    for name, text in self.levels.items()
                )
            )
            for chosen in self.levels
        }
        self.level_of, self.remove_from = _("Level of %(user)s"), _("Remove %(user)s from %(target)s")
        self.save = fill(
            _SAVE,
            url=reverse("grant-levels", args=[handle]),
            csrf_token=str(context["csrf_token"]),
            here=here,
            save=_("Save levels"),
        )
        self.remove_link = prefill(_REMOVE, here=quote(here, safe=""), text=_("Remove"))

    def level(self, grant: Grant) -> SafeString:
        if self.why_not:
            return cells.level(grant.word)
        return fill(
            _LEVEL,
            id=grant.pk,
            shown=grant.word,
            label=self.level_of % {"user": grant.user.description},
            options=self.options[grant.word],
        )

    def remove(self, grant: Grant) -> SafeString:
        if self.why_not:
            return SafeString()
        return fill(
            self.remove_link,
            url=self.remove_url(grant.pk),
            label=self.remove_from % {"user": grant.user.description, "target": grant.target},
        )


@register.simple_tag(takes_context=True)
def grant_forms(context: RequestContext) -> GrantForms:
    return GrantForms(context)


@register.simple_tag(takes_context=True)
def save_levels(context: RequestContext) -> SafeString:
    """Write the form that the levels of this page belong to; nothing for who may change none."""
    return SafeString() if context["why_not"] else GrantForms(context).save


register.filter("level_select", GrantForms.level)
register.filter("remove_link", GrantForms.remove)
