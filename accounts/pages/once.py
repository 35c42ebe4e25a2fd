"""Forms that work once: sending the same one again must not create twice.

Each form carries a random mark. The session remembers those that were spent; it is saved before the work is
done, so that a second click finds the mark though the first is not answered yet.
"""

from secrets import token_urlsafe

from django.http import HttpRequest

KEY = "spent_forms"
REMEMBERED = 50


def mark() -> str:
    """For the hidden field `once` of a fresh form."""
    return token_urlsafe(12)


def spend(request: HttpRequest) -> bool:
    """False when this very form was sent before."""
    sent = request.POST.get("once", "")[:40]
    spent = request.session.get(KEY, [])
    if sent and sent in spent:
        return False
    request.session[KEY] = [*spent, sent][-REMEMBERED:]
    request.session.save()
    return True
