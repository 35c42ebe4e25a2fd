"""Restores a backup into an empty installation, or only verifies it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from accounts import audit_chain
from accounts.common.amounts import amount
from accounts.models import AuditSeal
from manager.backup import keys as key_files
from manager.backup import loading
from manager.backup.after_restore import make_safe
from manager.backup.archive import About, ArchiveError, Reader
from manager.backup.making import STANDARD, named_settings, whoever
from registry_sync.models import Restoration

KEYS_MAX: Final = 16 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Source:
    """Where the backup is, `-` for standard input.

    `keys`: the file of its keys, None where they are inside, or in the secrets folder already.
    """

    file: Path
    keys: Path | None = None
    passphrase: str = ""


def verify(source: Source, say: Callable[[str], None]) -> None:
    """Read all of it, without a database. Raise ArchiveError, KeysError."""
    with _opened(source.file) as reader:
        about = reader.about
        keys = _keys(source, reader)
        for _name, rows in reader.tables():
            for _row in rows:
                pass
        count = sum(total.rows for total in reader.totals.values())
    say(
        f"{source.file} is whole: {amount(count, 'row', 'rows')} of {len(reader.totals)} tables, {_of(about)}."
    )
    if keys is None:
        say(_KEYS_UNSEEN if reader.sealed_keys else _KEYS_APART)
        return
    key_files.check(about.keys, keys, "in the backup")
    say(f"Its {len(keys)} keys can be read, and are those that the rows need.")


_KEYS_UNSEEN: Final = "Its keys are encrypted, and were not looked at (--passphrase-file)."
_KEYS_APART: Final = "Its keys are elsewhere, and were not looked at (--keys)."


def restore(source: Source, say: Callable[[str], None], *, moved: bool = False) -> Restoration:
    """Fill the database, put the keys in their place, and make safe what came back (see `make_safe` for `moved`).

    Raise NotEmpty, InUse, ArchiveError, KeysError: nothing has changed then.
    """
    loading.refuse_unless_empty(connection)
    made: list[Restoration] = []
    with _opened(source.file) as reader:
        about = reader.about
        keys = _keys(source, reader)
        if keys is None:
            if reader.sealed_keys:
                raise key_files.KeysError(_ENCRYPTED)
            key_files.check(about.keys, key_files.collect(), f"in {settings.SECRETS_DIR}")
        else:
            key_files.check(about.keys, keys, "in the backup")
        backup_at = _moment(about)

        def finish() -> None:
            made.append(
                make_safe(by=whoever(), backup_at=backup_at, backup_version=about.version, moved=moved)
            )
            key_files.install(keys or {})

        loading.fill(connection, reader, finish)
        count = sum(total.rows for total in reader.totals.values())
    say(f"restored {amount(count, 'row', 'rows')} of {len(reader.totals)} tables, {_of(about)}")
    _tell(made[0], about, say)
    return made[0]


_ENCRYPTED: Final = (
    "The keys are encrypted inside the backup; name the file of their passphrase: --passphrase-file."
)


def _tell(row: Restoration, about: About, say: Callable[[str], None]) -> None:
    if row.moved:
        say("all sessions and links are void")
    else:
        say(_void(row))
    for name, now in named_settings().items():
        if (then := about.settings.get(name, now)) != now:
            say(f"{name} was {then!r}, and is {now!r}")
    problems = list(audit_chain.problems())
    for problem in problems:
        say(problem.text)
    if not problems and (last := AuditSeal.objects.last()):
        say(f"the audit log is whole up to event {last.last_event_id}")
    if not row.moved:
        say("What people ended since the backup works again: System says what to look at.")
    say("Now run: manage.py init_data_dir, then start the panel.")


def _void(row: Restoration) -> str:
    return (
        f"void: {amount(row.invitation_count, 'invitation', 'invitations')}, "
        f"recovery codes of {amount(row.recovery_code_count, 'person', 'people')}, all sessions and links; "
        f"turned off: {amount(row.rule_count, 'retention rule', 'retention rules')}; "
        f"stopped: {amount(row.removal_count, 'deletion', 'deletions')}, "
        f"{amount(row.delivery_count, 'message of a webhook', 'messages of webhooks')}"
    )


def _keys(source: Source, reader: Reader) -> dict[str, bytes] | None:
    """Return the backup's keys, None where they are not at hand."""
    if source.keys:
        try:
            with source.keys.open("rb") as file:
                packed = file.read(KEYS_MAX)
        except OSError as error:
            raise key_files.KeysError(f"{source.keys} cannot be read: {error.strerror}.") from error
        return key_files.unpack(packed, source.passphrase)
    if reader.sealed_keys and source.passphrase:
        return key_files.unpack(reader.sealed_keys, source.passphrase)
    return None


def _moment(about: About) -> datetime:
    try:
        at = datetime.fromisoformat(about.made_at)
    except ValueError as error:
        raise ArchiveError("It does not say of when it is.") from error
    if at.tzinfo is None:
        raise ArchiveError("It does not say of when it is.")
    return at


def _of(about: About) -> str:
    return f"of {_moment(about):%Y-%m-%d %H:%M:%S} UTC, by {about.made_by}, version {about.version}"


@contextmanager
def _opened(path: Path) -> Iterator[Reader]:
    try:
        with path.open("rb") if path != STANDARD else nullcontext(sys.stdin.buffer) as file:
            yield Reader(file)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}.") from error
