"""Django's sessions in the database; a cookie that cannot be a key of theirs is not looked up."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """Django asks for the length alone, and PostgreSQL fails on a NUL."""
        return bool(super()._validate_session_key(key)) and str(key).isalnum()  # type: ignore[misc]


def forget_expired() -> None:
    """Neither Django nor allauth takes the rows of sessions away that nobody ended."""
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
