from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import operator_link


class Command(BaseCommand):
    help = "Prints the one-time link that makes the first operator. A link printed before is void then."

    def handle(self, *_args: Any, **_options: Any) -> None:
        path = operator_link.make()
        if path is None:
            raise CommandError("There is an operator already.")
        self.stdout.write(f"{settings.PUBLIC_URL}{path}")
