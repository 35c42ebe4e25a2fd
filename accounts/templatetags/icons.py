"""`{% icon "copy" %}` shows an icon of the sprite `static/icons.svg`.

It takes the colour of the text beside it. To add one, copy its outline SVG to `vendor/tabler-icons/` and run
`make format`.
"""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache  # a list asks for the same few by the hundred, and the sprite's address stays
def icon(name: str, css: str = "") -> SafeString:
    """Return the icon, hidden from screen readers: what it means is said by the text or the label beside it.

    `css`: "icon-end" behind the text of a button.
    """
    classes = f"icon {css}" if css else "icon"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("icons.svg"), name
    )
