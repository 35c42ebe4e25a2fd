"""A person's own sessions: which there are, and ending them."""

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import security_events
from accounts.common.lazy_text import lazy_plural
from accounts.common.user_agent import browser, client_name
from accounts.models import Person
from accounts.principal import Principal
from accounts.security_events import Kind
from accounts.session_store import SessionStore


def live(person: Person) -> list[UserSession]:
    """Return those that work, the oldest first, in two statements.

    Rows of ended ones are the worker's to remove (session_store.py).
    """
    found = list(UserSession.objects.filter(user=person).order_by("created_at", "pk"))
    rows = Session.objects.filter(
        session_key__in=[each.session_key for each in found], expire_date__gt=timezone.now()
    )
    store, now = SessionStore(), person.get_session_auth_hash()
    begun_with = {row.pk: str(store.decode(row.session_data).get(HASH_SESSION_KEY, "")) for row in rows}
    return [each for each in found if constant_time_compare(begun_with.get(each.session_key, ""), now)]


@transaction.atomic
def end(*, by: Principal, session: UserSession) -> None:
    name = client_name(browser(session.user_agent))
    security_events.note(person_id=session.user_id, kind=Kind.SESSION_ENDED, by=by, detail=name)
    session.end()


@transaction.atomic
def end_others(*, by: Principal, person: Person, kept: str) -> int:
    """End all but the one with the key `kept`. Return how many there were."""
    others = [each for each in live(person) if each.session_key != kept]
    for each in others:
        each.end()
    if others:
        detail = lazy_plural("%(n)s other session", "%(n)s other sessions", len(others))
        security_events.note(person_id=person.pk, kind=Kind.SESSION_ENDED, by=by, detail=detail)
    return len(others)
