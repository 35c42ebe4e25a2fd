from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.common import clock, secret_files
from accounts.common.amounts import amount
from accounts.models import Secret
from accounts.peppers import peppers


class Command(BaseCommand):
    help = "Says which passwords of users each pepper verifies: what is lost when its file is removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new", action="store_true", help="make the next pepper first")

    def handle(self, *_args: Any, new: bool, **_options: Any) -> None:
        if new:
            self._make()
        newest, *older = (pepper.version for pepper in peppers())
        count = Secret.objects.live(clock.now()).filter(pepper_version=newest).count()
        self.stdout.write(f"pepper-{newest}.key: {amount(count, 'password', 'passwords')}")
        for version in older:
            self._tell(version)

    def _make(self) -> None:
        name = f"pepper-{peppers()[0].version + 1}.key"
        secret_files.create(settings.SECRETS_DIR / name, secret_files.new_key())
        peppers.cache_clear()
        self.stdout.write(f"made {name}; restart web, tokens and worker")

    def _tell(self, version: int) -> None:
        left = Secret.objects.live(clock.now()).filter(pepper_version=version).select_related("user__account")
        told = amount(left.count(), "password, until it is used", "passwords, until they are used")
        self.stdout.write(f"pepper-{version}.key: {told} again")
        for secret in left.order_by("user__account__handle", "user__username")[:100]:
            self.stdout.write(f"  {secret.user.account.handle}  {secret.user}  {secret.user.description}")
