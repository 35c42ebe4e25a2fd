from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from manager import earlier_build
from manager.standalone.data_dir import init_data_dir


class Command(BaseCommand):
    help = "Creates folders, secret files, signing keys and the registry's configuration."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        if connection.vendor == "sqlite":  # a server need not be up for this
            earlier_build.refuse(connection)
        self.stdout.write(f"registry configuration: {init_data_dir(events_url=settings.EVENTS_URL or None)}")
