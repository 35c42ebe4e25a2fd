"""Finds the person of a session, and along with them what every page shows (accounts/installation_status.py)."""

from allauth.account.auth_backends import AuthenticationBackend
from django.utils import timezone

from accounts import installation_status
from accounts.models import Person

_FIND = "SELECT p.*{} FROM accounts_person p WHERE p.id = %(person)s"


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> Person | None:
        statement = _FIND.format(
            installation_status.columns(installation_status.NOTED | installation_status.SHOWN)
        )
        values = {"person": user_id, **installation_status.values(timezone.now())}
        person = next(iter(Person.objects.raw(statement, values)), None)
        return person if person and self.user_can_authenticate(person) else None
