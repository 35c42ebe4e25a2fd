"""A README, which is kept as it was written, in a page."""

from django import template
from django.utils.safestring import SafeString

from namespaces.readme import render_readme

register = template.Library()


@register.filter(name="readme")
def as_html(text: str) -> SafeString:
    return SafeString(render_readme(text))
