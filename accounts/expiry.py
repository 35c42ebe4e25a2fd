"""When something ends: given as a day, it is said as that day, and of which zone."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.common import timestamps
from accounts.common.errors import Invalid


def whole_day(moment: datetime) -> str:
    """As "5 May 2027 (Europe/Berlin)"; "" where it ends in the midst of one."""
    day = timestamps.last_day(moment, timezone.get_default_timezone())
    if not day:
        return ""
    return _("%(day)s (%(zone)s)") % {"day": date_format(day, "DATE_FORMAT"), "zone": settings.TIME_ZONE}


def ending(moment: datetime) -> str:
    """Return the last day, whole or not."""
    return whole_day(moment) or date_format(timezone.localtime(moment), "DATE_FORMAT")


def said(moment: datetime) -> str:
    """As "5 May 2027 (Europe/Berlin)", with the time where it ends in the midst of a day."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    day = f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M}"
    return whole_day(moment) or _("%(day)s (%(zone)s)") % {"day": day, "zone": settings.TIME_ZONE}


def check(moment: datetime, *, field: str = "expires_at") -> None:
    """Raise Invalid for what is no moment in every zone."""
    if not timestamps.sound(moment):
        raise Invalid.on(field, _("Select a day before the year %(year)s.") % {"year": timestamps.LAST.year})
