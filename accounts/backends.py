"""Finds the person of a session, and along with them what every page shows (accounts/along.py)."""

from allauth.account.auth_backends import AuthenticationBackend
from django.utils import timezone

from accounts import along
from accounts.models import Person

_FIND = "SELECT p.*{} FROM accounts_person p WHERE p.id = %(person)s"


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> Person | None:
        statement = _FIND.format(along.columns(along.NOTED | along.SHOWN))
        values = {"person": user_id, **along.values(timezone.now())}
        person = next(iter(Person.objects.raw(statement, values)), None)
        return person if person and self.user_can_authenticate(person) else None
