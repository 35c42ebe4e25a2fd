"""What is wrong with the installation: on top of every page, and alone, for open pages when that changed."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.live_updates import note_along
from accounts.templatetags.cells import clock_time
from accounts.views.request import PersonRequest
from registry_sync import installation_status
from registry_sync.alarms import Alarm, HealthSigns, alarms

WORDS = {
    Alarm.UNREACHABLE: gettext_lazy("Registry not answering since {since}: push and pull fail."),
    Alarm.TOKENS_REFUSED: gettext_lazy(
        "Registry refuses the panel’s tokens since {since}: push and pull fail."
    ),
    Alarm.TOKENS_UNSIGNED: gettext_lazy("The panel cannot sign tokens since {since}: push and pull fail."),
    Alarm.READ_ONLY: gettext_lazy(
        "The database is read-only: nothing can be changed here, and new pushes are not shown."
    ),
    Alarm.NO_WORKER: gettext_lazy("No worker alive since {since}: lists are not being refreshed."),
    Alarm.COLLECTING: gettext_lazy(
        "The registry is read-only for garbage collection: pulls work, pushes are refused (405 Method Not Allowed), "
        "and deletions wait."
    ),
}
AS_OF = {
    Alarm.UNREACHABLE: gettext_lazy(
        "Registry not answering since {since}: push and pull fail; lists of images are as of {answered}."
    ),
    Alarm.TOKENS_REFUSED: gettext_lazy(
        "Registry refuses the panel’s tokens since {since}: push and pull fail; lists of images are as of {answered}."
    ),
}
# Push and pull go on, or soon do.
GOES_ON = (Alarm.NO_WORKER, Alarm.COLLECTING)
# What the last look found is no news, but better than nothing.
UNREACHABLE_BEFORE = gettext_lazy(
    "No worker alive since {since}: lists are not being refreshed. When it last asked, the registry did not answer."
)


@dataclass(frozen=True)
class AlarmText:
    kind: Alarm
    text: SafeString
    bad: bool  # push or pull fail, or nothing can be saved
    meant: bool  # and nothing to look into


def of_request(request: HttpRequest) -> dict[str, Any]:
    """For who is signed in alone: strangers are told nothing of the installation."""
    if not request.user.is_authenticated:
        return {}
    signs = installation_status.signs_for(request.user)
    found = alarms(signs)
    return {
        "alarms": [_alarm_text(kind, signs) for kind in found],
        "live": note_along(request),
    }


def _alarm_text(kind: Alarm, signs: HealthSigns) -> AlarmText:
    words = (AS_OF if signs.answered_at else WORDS).get(kind, WORDS[kind])
    if kind is Alarm.NO_WORKER and signs.unreachable_since:
        words = UNREACHABLE_BEFORE
    moments = {"since": clock_time(alarms(signs)[kind]), "answered": clock_time(signs.answered_at)}
    return AlarmText(
        kind, format_html(str(words), **moments), bad=kind not in GOES_ON, meant=kind is Alarm.COLLECTING
    )


@login_required
@require_safe
def standing_now(request: PersonRequest) -> HttpResponse:
    """Send it from the context that every page has. The lists say anew how true they are."""
    response = render(request, "registry_sync/_installation_status.html")
    response["HX-Trigger"] = "freshness"
    return response
