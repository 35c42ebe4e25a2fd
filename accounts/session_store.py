"""Django's sessions in the database; a cookie that cannot be a key of theirs is not looked up."""

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.common.prepared_queries import prepared
from accounts.models import Person


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str) -> bool:
        """Django asks for the length alone, and PostgreSQL fails on a NUL."""
        return bool(super()._validate_session_key(key)) and str(key).isalnum()  # type: ignore[misc]

    def _get_session_from_db(self) -> Session | None:
        found = _live_session(key=self.session_key or "", now=timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None


@prepared
def _live_session(*, key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)


def live_sessions(now: datetime) -> QuerySet[UserSession]:
    """Return what allauth knows of sessions that have not ended."""
    kept = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    found: QuerySet[UserSession] = UserSession.objects.filter(Exists(kept))
    return found


def end_all_of(person: Person) -> int:
    """Sign the person out everywhere. Return in how many places they were signed in."""
    rows = UserSession.objects.filter(user=person)
    ended, _by_model = Session.objects.filter(session_key__in=rows.values("session_key")).delete()
    rows.delete()
    return ended


def forget_expired() -> None:
    """Neither Django nor allauth takes the rows of sessions away that nobody ended."""
    SessionStore.clear_expired()
    kept = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(
        ~Exists(kept)
    ).delete()  # PostgreSQL would look through a long NOT IN for each row
