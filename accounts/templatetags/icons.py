"""`{% icon "copy" %}` writes an outline icon of @tabler/icons 3.51.0 (MIT: static/vendor/tabler-icons/LICENSE).

An icon is inlined, so that it takes the colour of the text beside it and costs no request. To add one, copy the `d` of
each path of its outline SVG to `PATHS`.
"""

from functools import cache
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

PATHS: Final[dict[str, tuple[str, ...]]] = {
    "alert-circle": (
        "M3 12a9 9 0 1 0 18 0a9 9 0 0 0 -18 0",
        "M12 8v4",
        "M12 16h.01",
    ),
    "alert-triangle": (
        "M12 9v4",
        (
            "M10.363 3.591l-8.106 13.534a1.914 1.914 0 0 0 1.636 2.871h16.214a1.914 1.914 0 0 0 1.636 "
            "-2.87l-8.106 -13.536a1.914 1.914 0 0 0 -3.274 0"
        ),
        "M12 16h.01",
    ),
    "arrow-left": (
        "M5 12l14 0",
        "M5 12l6 6",
        "M5 12l6 -6",
    ),
    "arrow-right": (
        "M5 12l14 0",
        "M13 18l6 -6",
        "M13 6l6 6",
    ),
    "brightness": (
        "M3 12a9 9 0 1 0 18 0a9 9 0 1 0 -18 0",
        "M12 3l0 18",
        "M12 9l4.65 -4.65",
        "M12 14.3l7.37 -7.37",
        "M12 19.6l8.85 -8.85",
    ),
    "circle-check": (
        "M3 12a9 9 0 1 0 18 0a9 9 0 1 0 -18 0",
        "M9 12l2 2l4 -4",
    ),
    "copy": (
        (
            "M7 9.667a2.667 2.667 0 0 1 2.667 -2.667h8.666a2.667 2.667 0 0 1 2.667 2.667v8.666a2.667 2.667 0 "
            "0 1 -2.667 2.667h-8.666a2.667 2.667 0 0 1 -2.667 -2.667l0 -8.666"
        ),
        "M4.012 16.737a2.005 2.005 0 0 1 -1.012 -1.737v-10c0 -1.1 .9 -2 2 -2h10c.75 0 1.158 .385 1.5 1",
    ),
    "download": (
        "M4 17v2a2 2 0 0 0 2 2h12a2 2 0 0 0 2 -2v-2",
        "M7 11l5 5l5 -5",
        "M12 4l0 12",
    ),
    "eye": (
        "M10 12a2 2 0 1 0 4 0a2 2 0 0 0 -4 0",
        "M21 12c-2.4 4 -5.4 6 -9 6c-3.6 0 -6.6 -2 -9 -6c2.4 -4 5.4 -6 9 -6c3.6 0 6.6 2 9 6",
    ),
    "info-circle": (
        "M3 12a9 9 0 1 0 18 0a9 9 0 0 0 -18 0",
        "M12 9h.01",
        "M11 12h1v4h1",
    ),
    "key": (
        (
            "M16.555 3.843l3.602 3.602a2.877 2.877 0 0 1 0 4.069l-2.643 2.643a2.877 2.877 0 0 1 -4.069 "
            "0l-.301 -.301l-6.558 6.558a2 2 0 0 1 -1.239 .578l-.175 .008h-1.172a1 1 0 0 1 -.993 -.883l-.007 "
            "-.117v-1.172a2 2 0 0 1 .467 -1.284l.119 -.13l.414 -.414h2v-2h2v-2l2.144 -2.144l-.301 "
            "-.301a2.877 2.877 0 0 1 0 -4.069l2.643 -2.643a2.877 2.877 0 0 1 4.069 0"
        ),
        "M15 9h.01",
    ),
    "lock": (
        "M5 13a2 2 0 0 1 2 -2h10a2 2 0 0 1 2 2v6a2 2 0 0 1 -2 2h-10a2 2 0 0 1 -2 -2v-6",
        "M11 16a1 1 0 1 0 2 0a1 1 0 0 0 -2 0",
        "M8 11v-4a4 4 0 1 1 8 0v4",
    ),
    "logout": (
        "M14 8v-2a2 2 0 0 0 -2 -2h-7a2 2 0 0 0 -2 2v12a2 2 0 0 0 2 2h7a2 2 0 0 0 2 -2v-2",
        "M9 12h12l-3 -3",
        "M18 15l3 -3",
    ),
    "mail": (
        "M3 7a2 2 0 0 1 2 -2h14a2 2 0 0 1 2 2v10a2 2 0 0 1 -2 2h-14a2 2 0 0 1 -2 -2v-10",
        "M3 7l9 6l9 -6",
    ),
    "moon": ("M12 3c.132 0 .263 0 .393 0a7.5 7.5 0 0 0 7.92 12.446a9 9 0 1 1 -8.313 -12.454l0 .008",),
    "package": (
        "M12 3l8 4.5l0 9l-8 4.5l-8 -4.5l0 -9l8 -4.5",
        "M12 12l8 -4.5",
        "M12 12l0 9",
        "M12 12l-8 -4.5",
        "M16 5.25l-8 4.5",
    ),
    "plus": (
        "M12 5l0 14",
        "M5 12l14 0",
    ),
    "refresh": (
        "M20 11a8.1 8.1 0 0 0 -15.5 -2m-.5 -4v4h4",
        "M4 13a8.1 8.1 0 0 0 15.5 2m.5 4v-4h-4",
    ),
    "search": (
        "M3 10a7 7 0 1 0 14 0a7 7 0 1 0 -14 0",
        "M21 21l-6 -6",
    ),
    "selector": (
        "M8 9l4 -4l4 4",
        "M16 15l-4 4l-4 -4",
    ),
    "sun": (
        "M8 12a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        "M3 12h1m8 -9v1m8 8h1m-9 8v1m-6.4 -15.4l.7 .7m12.1 -.7l-.7 .7m0 11.4l.7 .7m-12.1 -.7l-.7 .7",
    ),
    "user": (
        "M8 7a4 4 0 1 0 8 0a4 4 0 0 0 -8 0",
        "M6 21v-2a4 4 0 0 1 4 -4h4a4 4 0 0 1 4 4v2",
    ),
    "users": (
        "M5 7a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        "M3 21v-2a4 4 0 0 1 4 -4h4a4 4 0 0 1 4 4v2",
        "M16 3.13a4 4 0 0 1 0 7.75",
        "M21 21v-2a4 4 0 0 0 -3 -3.85",
    ),
    "world": (
        "M3 12a9 9 0 1 0 18 0a9 9 0 0 0 -18 0",
        "M3.6 9h16.8",
        "M3.6 15h16.8",
        "M11.5 3a17 17 0 0 0 0 18",
        "M12.5 3a17 17 0 0 1 0 18",
    ),
}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return the SVG of the icon. Raise KeyError for a name that is not in PATHS."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor"'
        ' stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>',
        format_html_join("", '<path d="{}"/>', ((path,) for path in PATHS[name])),
    )
