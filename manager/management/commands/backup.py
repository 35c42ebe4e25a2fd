from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.common.database_errors import first_line, outage_of
from manager.backup import keys as key_files
from manager.backup import making, restoring
from manager.backup.archive import ArchiveError


class Command(BaseCommand):
    help = "Writes database and settings into one file while the panel runs, and the keys into another or encrypted."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help="the backup, replaced once the new one is whole; - for standard output (or input)",
        )
        parser.add_argument("--keys", type=Path, help="a file for the keys, in another folder or encrypted")
        parser.add_argument(
            "--passphrase-file",
            type=Path,
            help="encrypts the keys by the first line of this file; without --keys they are put into the backup",
        )
        parser.add_argument("--verify", action="store_true", help="only reads a backup, without a database")

    def handle(
        self,
        *_args: Any,
        file: Path,
        keys: Path | None,
        passphrase_file: Path | None,
        verify: bool,
        **_more: Any,
    ) -> None:
        self._out = self.stderr if file == making.STANDARD and not verify else self.stdout
        try:
            passphrase = key_files.read_passphrase(passphrase_file) if passphrase_file else ""
            if verify:
                restoring.verify(restoring.Source(file, keys, passphrase), self._say)
                return
            made = making.make(making.Wanted(file, keys, passphrase), self._say)
        except (ArchiveError, making.BackupError, key_files.KeysError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            if outage_of(error) is None:
                raise
            raise CommandError(f"{first_line(error)}. No backup was made.") from error
        if made.keys == made.Keys.NONE:
            self._say(
                "The keys are in no file of this backup; without them its passwords do not work (--keys)."
            )

    def _say(self, text: str) -> None:
        self._out.write(text, str)  # not in the colour of an error
