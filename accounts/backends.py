"""Finds the person of a session, and along with them what every page shows or asks.

That is how the installation stands (accounts/installation_status.py), and whether a second factor is required of them.
"""

from allauth.account.auth_backends import AuthenticationBackend
from django.utils import timezone

from accounts import installation_status
from accounts.models import Person
from accounts.second_factors import requirement

_FIND = "SELECT p.*{} FROM accounts_person p WHERE p.id = %(person)s"


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> Person | None:
        along = requirement.COLUMNS | installation_status.NOTED | installation_status.SHOWN
        statement = _FIND.format(installation_status.columns(along))
        values = {"person": user_id, **installation_status.values(timezone.now())}
        person = next(iter(Person.objects.raw(statement, values)), None)
        return person if person and self.user_can_authenticate(person) else None
