from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.common.errors import Invalid
from manager.demo import seed
from manager.demo.push_client import PushError


class Command(BaseCommand):
    help = "Fills a running panel: a person, an account, users, permissions, and a dozen small images."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            seed.make(self.stdout.write)
        except (PushError, Invalid) as error:
            raise CommandError(f"{error} (`make demo` works beside a running `make run`.)") from error
