from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.services import people


class Command(BaseCommand):
    help = "Prints the one-time link that makes the first operator. A link printed before is void then."

    def handle(self, *_args: Any, **_options: Any) -> None:
        text = people.make_operator_link()
        if text is None:
            raise CommandError("There is an operator already.")
        self.stdout.write(settings.PUBLIC_URL + reverse("bootstrap-link", args=[text]))
