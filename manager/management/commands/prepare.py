from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from manager.embedded.prepare import prepare


class Command(BaseCommand):
    help = "Creates folders, secret files, signing keys and the registry's configuration."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"registry configuration: {prepare(events_url=settings.EVENTS_URL or None)}")
