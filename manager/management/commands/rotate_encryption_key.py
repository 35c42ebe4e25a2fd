from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.common import encryption
from accounts.common.amounts import amount
from accounts.second_factors import secrets
from namespaces.webhooks import stored_secrets as webhook_secrets


class Command(BaseCommand):
    help = "Encrypts what older keys encrypted with the newest one, and says what is lost with each key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new", action="store_true", help="make the next key first")

    def handle(self, *_args: Any, new: bool, **_options: Any) -> None:
        if new:
            self.stdout.write(
                f"made {encryption.make_key()}; restart web, tokens and worker, and run this again in an hour"
            )
        secrets.encrypt_again()
        webhook_secrets.encrypt_again()
        counts, webhooks = secrets.by_version(), webhook_secrets.by_version()
        for version in sorted({*encryption.versions(), *counts, *webhooks}, reverse=True):
            missing = "" if version in encryption.versions() else " (missing)"
            self.stdout.write(
                f"encryption-{version}.key{missing}: {amount(counts[version], 'second factor', 'second factors')}, "
                f"{amount(webhooks[version], 'webhook', 'webhooks')}"
            )
