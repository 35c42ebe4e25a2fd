from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.common.amounts import amount
from accounts.models import Person
from accounts.principal import SYSTEM
from accounts.services import second_factors


class Command(BaseCommand):
    help = "Removes all second factors of a person, and ends their sessions: for who has lost them all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the primary address that the person signs in with")

    def handle(self, *_args: Any, email: str, **_options: Any) -> None:
        person = Person.objects.filter(email=email.strip().lower()).first()
        if not person:
            raise CommandError("Nobody signs in with this address.")
        count = second_factors.reset(by=SYSTEM, person=person)
        removed = amount(count, "second factor", "second factors")
        self.stdout.write(f"removed {removed} of {person.email}{_ways_in(person)}")


def _ways_in(person: Person) -> str:
    if person.has_usable_password():
        return ", who signs in with the password alone now"
    return f"; who has no password either: manage.py changepassword {person.email} sets one"
