"""Forms that work once: sending the same one again must not create twice.

Each form carries a random mark. The session remembers those that were spent; it is saved before the work is
done, so that a second click finds the mark though the first is not answered yet. Two that come at the same moment
have the session one after the other.
"""

from secrets import token_urlsafe

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.common.errors import Invalid

KEY = "spent_forms"
REMEMBERED = 50


def mark() -> str:
    """For the hidden field `once` of a fresh form."""
    return token_urlsafe(12)


@transaction.atomic
def spend(request: HttpRequest) -> bool:
    """Return False when this very form was sent before.

    Raises Invalid for one without a mark: nobody could tell it from one that is sent again.
    """
    sent = request.POST.get("once", "")[:40]
    if not sent:
        raise Invalid.on("", _("The form was incomplete, so nothing was done. Press the button again."))
    row = Session.objects.select_for_update().filter(pk=request.session.session_key).first()
    spent = row.get_decoded().get(KEY, []) if row else []
    again = sent in spent
    request.session[KEY] = spent if again else [*spent, sent][-REMEMBERED:]
    request.session.save()
    return not again
