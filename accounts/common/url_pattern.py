"""Addresses of a list's rows, which differ in their last argument, from one reverse()."""

from collections.abc import Callable
from urllib.parse import quote

from django.urls import reverse
from django.utils.http import RFC3986_SUBDELIMS

_LAST = "999999999999999999"  # a number and a name, so that any converter takes it


def url_pattern(name: str, *args: object) -> Callable[[object], str]:
    """Return what writes the address for the last argument: `url_pattern("user", "acme")("u123")`."""
    before, _last, after = reverse(name, args=[*args, _LAST]).rpartition(_LAST)
    return lambda last: f"{before}{quote(str(last), safe=RFC3986_SUBDELIMS + '/~:@')}{after}"
