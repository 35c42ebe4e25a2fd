"""What changes grants in a list of them: a level in each row, one button that saves all, and links that remove one."""

from urllib.parse import quote

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.common.expiring import expires_soon
from accounts.common.html_text import fill, fill_text, joined, prefill
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
_END = '<a href="{url}?next={here}" aria-label="{label}">{text}</a>'
_OPTION = '<option value="{}"{}>{}</option>'
_SELECTED = SafeString(" selected")
_REMOVE = """<a class="btn btn-sm btn-outline-danger" href="{url}?next={here}" data-ask
    aria-label="{label}">{text}</a>"""


class GrantForms:
    """The forms of a page. Context: account; here, where they lead back to; why_not, why the reader may change none."""

    def __init__(self, context: RequestContext) -> None:
        handle = context["account"].handle
        self.remove_url, self.edit_url = (
            url_pattern("grant-remove", handle),
            url_pattern("grant-edit", handle),
        )
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
        self.cells, self.now = cells.Cells(), timezone.now()
        self.never = _("does not end")
        self.ends_text, self.ended_text = _("ends %(when)s"), _("ended %(when)s")
        self.end_of = _("Change when the permission of %(user)s on %(target)s ends")
        self.save = fill(
            _SAVE,
            url=reverse("grant-levels", args=[handle]),
            csrf_token=str(context["csrf_token"]),
            here=here,
            save=_("Save levels"),
        )
        self.end_link = prefill(_END, here=quote(here, safe=""))
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

    def end(self, grant: Grant) -> SafeString:
        """Write when it ends, in a column that says so; for who may change it as a link to where that is changed."""
        return self._link(grant, self._end_text(grant, "%(when)s"))

    def ending(self, grant: Grant) -> SafeString:
        """Write the same as a sentence: "ends in 5 days"."""
        return self._link(grant, self._end_text(grant, self.ends_text))

    def _link(self, grant: Grant, text: SafeString) -> SafeString:
        if self.why_not:
            return text
        label = self.end_of % {"user": grant.user.description, "target": grant.target}
        return fill(self.end_link, url=self.edit_url(grant.pk), label=label, text=text)

    def _end_text(self, grant: Grant, ends: str) -> SafeString:
        moment, live = grant.expires_at, grant.is_live(self.now)
        text = self.cells.until(moment, self.never)
        if moment:
            text = fill_text(ends if live else self.ended_text, when=text)
        if not self.why_not:
            text = fill("<u>{}</u>", text)
        if not live:
            return cells.state(text, "bad")
        return cells.state(text, "warn") if expires_soon(moment, self.now) else text

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
register.filter("end_link", GrantForms.end)
register.filter("remove_link", GrantForms.remove)
