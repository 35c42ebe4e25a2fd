"""Django's sessions in the database; a cookie that cannot be a key of theirs is not looked up."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """Django asks for the length alone, and PostgreSQL fails on a NUL."""
        return bool(super()._validate_session_key(key)) and str(key).isalnum()  # type: ignore[misc]
