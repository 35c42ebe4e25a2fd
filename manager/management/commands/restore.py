from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connection

from accounts.common.database_errors import Outage, first_line, outage_of
from manager import earlier_build
from manager.backup import keys as key_files
from manager.backup import restoring
from manager.backup.archive import ArchiveError
from manager.backup.loading import InUse, NotEmpty


class Command(BaseCommand):
    help = "Restores a backup into an empty installation, on SQLite or PostgreSQL. All of it is restored, or nothing."
    requires_system_checks = ()  # the keys they look at may come with the backup

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the backup; - for standard input")
        parser.add_argument("--keys", type=Path, help="the file of the keys")
        parser.add_argument("--passphrase-file", type=Path, help="its first line decrypts the keys")
        parser.add_argument(
            "--move",
            action="store_true",
            help="everything was stopped before the backup was made: nothing was lost, and nothing is made void",
        )

    def handle(
        self,
        *_args: Any,
        file: Path,
        keys: Path | None,
        passphrase_file: Path | None,
        move: bool,
        **_more: Any,
    ) -> None:
        try:
            earlier_build.refuse(connection)
            passphrase = key_files.read_passphrase(passphrase_file) if passphrase_file else ""
            restoring.restore(restoring.Source(file, keys, passphrase), self.stdout.write, moved=move)
        except NotEmpty as error:
            raise CommandError(f"{error} Nothing was restored: an empty installation is needed.") from error
        except (ArchiveError, InUse, key_files.KeysError) as error:
            raise CommandError(f"{error} Nothing was restored.") from error
        except DatabaseError as error:
            if outage_of(error) is Outage.BUSY:
                raise CommandError(
                    f"{first_line(error)}: a part of the panel is running; stop it. Nothing was restored."
                ) from error
            if isinstance(error, OperationalError):  # such as a full disk, or a server that is away
                raise CommandError(f"{first_line(error)}. Nothing was restored.") from error
            raise
