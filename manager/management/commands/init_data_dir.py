from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from accounts.common.secret_files import SecretFileError
from manager import earlier_build
from manager.environment import NO_NEW_KEYS
from manager.standalone.data_dir import init_data_dir


class Command(BaseCommand):
    help = "Creates folders, secret files, signing keys and the registry's configuration."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            NO_NEW_KEYS, action="store_true", help="Fail where a key is missing: another machine has it."
        )
        parser.add_argument(
            "--read-only",
            action="store_true",
            help="The registry, once restarted, refuses pushes and deletions: for its garbage collection.",
        )

    def handle(self, *_args: Any, no_new_keys: bool, read_only: bool, **_options: Any) -> None:
        if connection.vendor == "sqlite":  # a server need not be up for this
            earlier_build.refuse(connection)
        try:
            path = init_data_dir(
                events_url=settings.EVENTS_URL or None, new_keys=not no_new_keys, read_only=read_only
            )
        except SecretFileError as error:
            raise CommandError(str(error)) from error
        except OSError as error:  # a full disk, a folder of somebody else's
            raise CommandError(f"{error.filename or settings.DATA_DIR}: {error.strerror}.") from error
        self.stdout.write(f"registry configuration: {path}")
