"""Makes a backup: rows and settings into one file, keys into another or encrypted."""

import fcntl
import getpass
import glob
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.amounts import amount
from accounts.common.database_errors import first_line, outage_of
from accounts.principal import SYSTEM
from manager.backup import keys as key_files
from manager.backup.archive import About, Writer
from manager.backup.snapshot import last_key, rows, snapshot
from manager.backup.tables import LEFT_OUT, tables
from registry_sync.models import Backup

# What a machine is rebuilt by; none of them is secret.
SETTINGS: Final = (
    "ENVIRONMENT", "PUBLIC_URL", "REGISTRY_URL", "REGISTRY_HOST", "TOKEN_URL", "TOKEN_SERVICE", "TOKEN_ISSUER",
    "EVENTS_URL", "REGISTRY_IS_PULL_THROUGH_CACHE", "TOKEN_TTL_SECONDS", "SIGNUP", "TIME_ZONE", "OIDC_ISSUER",
    "OIDC_CLIENT_ID", "OIDC_ONLY", "TRUSTED_PROXY_COUNT", "ISSUER_NETWORKS", "WEBHOOK_NETWORKS",
)  # fmt: skip
STANDARD: Final = Path("-")  # output or input
NICE: Final = 10  # tokens and pages come first


class BackupError(Exception):
    """No backup was made, or it could not be recorded; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """Where the backup goes, `-` for standard output.

    `keys`: a file for the keys. `passphrase`: encrypts them, inside `file` where there is no `keys`.
    """

    file: Path
    keys: Path | None = None
    passphrase: str = ""


def make(wanted: Wanted, say: Callable[[str], None]) -> Backup:
    """Write the files and record it. Raise BackupError, KeysError."""
    _check(wanted)
    with suppress(OSError):  # it has that rank already, or may not change it
        os.nice(NICE)
    kept = key_files.collect()
    packed = b""
    if wanted.keys or wanted.passphrase:
        packed = key_files.pack(kept, wanted.passphrase)
    at, by = timezone.now(), whoever()
    with _output(wanted.file) as file:
        with snapshot(connection):
            found = tables(apps)
            about = About(
                version=settings.VERSION,
                made_at=at.isoformat(),
                made_by=by,
                database=connection.vendor,
                migrations=_migrations(),
                tables={table.name: [list(each) for each in table.columns] for table in found},
                left_out=sorted(LEFT_OUT),
                keys=key_files.fingerprints(kept),
                settings=named_settings(),
            )
            with Writer(file, about) as writer:
                if packed and not wanted.keys:
                    writer.add_keys(packed)
                for table in found:
                    total = writer.add_table(table.name, rows(connection, table))
                    total.last_key = last_key(connection, table)
                row_count, byte_count = writer.close()
        if wanted.keys:
            with _new_file(wanted.keys) as other:
                other.write(packed)
    name = _shown(wanted.file)
    say(
        f"{name}: {amount(row_count, 'row', 'rows')} of {len(found)} tables, {byte_count:,} bytes, "
        f"as of {at:%Y-%m-%d %H:%M:%S} UTC"
    )
    row = Backup(
        at=at, by=by, file=name[:400], version=settings.VERSION, row_count=row_count,
        byte_count=byte_count, keys=_kept_keys(wanted),
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
            audit.record(
                by=SYSTEM, action=AuditAction.BACKUP_MADE, kind="backup", id=row.pk, label=Path(name).name,
                after={"by": by, "rows": row_count, "keys": row.keys},
            )  # fmt: skip
    except DatabaseError as error:
        if outage_of(error) is None:
            raise
        raise BackupError(
            f"{first_line(error)}: the backup is whole, but the panel does not know of it."
        ) from error
    return row


def named_settings() -> dict[str, str]:
    """Return name → value as it is set, of SETTINGS."""
    values = {name: getattr(settings, name) for name in SETTINGS}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
    }


def whoever() -> str:
    """Return who runs this process, and where."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = str(os.getuid())
    told = f"{name}@{socket.gethostname()}"
    return "".join(each for each in told if each.isprintable())[:254]


def _check(wanted: Wanted) -> None:
    for path in (wanted.file, wanted.keys):
        if path and path != STANDARD:
            _check_path(path)
    if wanted.keys == STANDARD or (wanted.keys and _target(wanted.keys) == _target(wanted.file)):
        raise BackupError("The keys need a file of their own.")
    if wanted.keys and not wanted.passphrase and _same_folder(wanted.keys, wanted.file):
        raise BackupError(
            "Keys that anybody can read do not belong beside the data: name a file in another folder, or encrypt "
            "them (--passphrase-file)."
        )


def _check_path(path: Path) -> None:
    target = _target(path)
    try:
        if not target.parent.is_dir():
            raise BackupError(f"There is no folder {path.parent}.")
        if target.is_dir():
            raise BackupError(f"{path} is a folder; name a file.")
        # The new file would take its place, also that of /dev/null.
        if target.exists() and not target.is_file():
            raise BackupError(f"{path} is a device or a pipe; name a file, or - for standard output.")
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error


def _target(path: Path) -> Path:
    """Return where a link leads: the new file replaces what is there, and not the link."""
    return Path(os.path.realpath(path))


def _same_folder(keys: Path, file: Path) -> bool:
    return file != STANDARD and _target(keys).parent == _target(file).parent


def _migrations() -> list[list[str]]:
    """Return those that the tables are at. Raise BackupError unless they are those of this build."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupError("Migrations have not been applied; run: manage.py migrate")
    known = set(executor.loader.graph.nodes)
    return sorted(list(key) for key in MigrationRecorder(connection).applied_migrations() if key in known)


def _shown(path: Path) -> str:
    """Return its name as the database and a terminal take it: it may be of any bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


def _kept_keys(wanted: Wanted) -> Backup.Keys:
    if wanted.passphrase:
        return Backup.Keys.ENCRYPTED
    return Backup.Keys.FILE if wanted.keys else Backup.Keys.NONE


@contextmanager
def _output(path: Path) -> Iterator[IO[bytes]]:
    if path != STANDARD:
        with _new_file(path) as file:
            yield file
        return
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in its buffer cannot be written when the process ends, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise BackupError(f"The output cannot be written: {error.strerror}.") from error


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Nobody sees it before it is whole, and nobody else can read it. Raise BackupError where it cannot be written."""
    target = _target(path)
    try:
        _remove_abandoned(target)
        draft, descriptor = _locked_draft(target)
        with os.fdopen(descriptor, "wb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                draft.rename(target)
            finally:
                draft.unlink(missing_ok=True)
        _sync_folder(target.parent)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error


def _locked_draft(path: Path, lock: Callable[[int, int], None] = fcntl.flock) -> tuple[Path, int]:
    """Return a new file, and its descriptor: until that is closed, the lock says that somebody writes it."""
    while True:
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        lock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return draft, descriptor
        os.close(descriptor)  # another backup took it for abandoned before it was locked


def _remove_abandoned(path: Path) -> None:
    """Remove what backups into the same file left when they were killed, and nobody writes."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 16}"):
        # One that is somebody else's stays, and one that is being written has the name of the backup by then.
        with suppress(OSError), draft.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
