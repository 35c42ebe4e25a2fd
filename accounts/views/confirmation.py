"""What ends access asks first: GET shows the question on a page of its own, POST does it.

With JavaScript the same question stands in a dialog of the page that leads there (static/ask.js).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import RegistryUser
from accounts.templatetags.cells import when

IN_DIALOG = "ask"


@dataclass(frozen=True)
class Question:
    """`stops` says, a sentence each, what works no more; `details` is HTML that follows them.

    `act` is where the answer goes; "" is here.
    """

    title: str
    button: str
    back: str
    stops: list[str]
    last_use: str = ""
    details: SafeString | str = ""
    act: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


# For a view that answers with `ask` what is not sent by POST.
asks = require_http_methods(["GET", "HEAD", "POST"])


def ask(request: HttpRequest, question: Question) -> HttpResponse:
    """Never kept: it tells who used something a moment ago."""
    target = request.htmx.target  # type: ignore[attr-defined]
    name = "accounts/_ask_dialog.html" if target == IN_DIALOG else "accounts/ask.html"
    answer = render(request, name, {"question": question})
    add_never_cache_headers(answer)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def last_use_of(user: RegistryUser) -> str:
    """Return "CI deploy was used 32 s ago by docker/27.5 from 10.0.0.7." or what else is known of its last use."""
    return last_use(user.description, user.last_used_at, user.last_used_with, user.last_used_from)


def last_use(name: str, moment: datetime | None, client: str = "", address: str = "") -> SafeString:
    if not moment:
        sentence = _("{name} has never been used.")
    elif client and address:
        sentence = _("{name} was used {when} by {client} from {address}.")
    elif address:
        sentence = _("{name} was used {when} from {address}.")
    else:
        sentence = _("{name} was used {when}.")
    return format_html(sentence, name=name, when=when(moment), client=client, address=address)
