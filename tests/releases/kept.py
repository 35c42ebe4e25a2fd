"""What is kept of each release: a row in each table, dumped by SQLite and by PostgreSQL, and how a user signs in."""

import gzip
import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.parts import install

FOLDER = Path(__file__).parent
DATABASES = ("sqlite", "postgresql")
# Of installations in which nobody has a secret: the same in each, so that digests of a kept release can be checked.
PEPPER = sha256(b"the pepper of kept releases").hexdigest()


@dataclass(frozen=True)
class Release:
    folder: Path

    @property
    def version(self) -> str:
        return self.folder.name

    def dump(self, database: str) -> Path:
        return self.folder / f"{database}.sql.gz"

    @property
    def _logins(self) -> Path:
        return self.folder / "logins.json"

    def login(self, database: str) -> tuple[str, str]:
        """Return the name and password of a user who may push to team/app. The password is kept in two pieces."""
        username, *pieces = json.loads(self._logins.read_text())[database]
        return username, "".join(pieces)

    def keep_logins(self, logins: Mapping[str, tuple[str, str]]) -> None:
        pieces = {
            name: [username, password[:4], password[4:]] for name, (username, password) in logins.items()
        }
        self._logins.write_text(json.dumps(pieces, indent=1) + "\n")


def releases() -> list[Release]:
    return [Release(path) for path in sorted(FOLDER.iterdir()) if (path / "logins.json").exists()]


def write_pepper(env: Mapping[str, str]) -> None:
    """Before `init_data_dir`, which makes only what is missing."""
    folder = Path(env["DATA_DIR"]) / "secrets"
    folder.mkdir(parents=True)
    (folder / "pepper-1.key").write_text(PEPPER)
    (folder / "pepper-1.key").chmod(0o600)


def sqlite_file(env: Mapping[str, str]) -> Path:
    return Path(env["DATA_DIR"]) / "db.sqlite3"


def dump(release: Release, database: str, env: Mapping[str, str]) -> None:
    if database == "sqlite":
        with closing(sqlite3.connect(sqlite_file(env))) as connection:
            text = "\n".join(connection.iterdump()).encode()
    else:
        command = [install.program("pg_dump"), "--no-owner", "--no-privileges", env["DATABASE_URL"]]
        text = subprocess.run(command, check=True, capture_output=True).stdout
    release.dump(database).write_bytes(gzip.compress(text, mtime=0))


def load(release: Release, database: str, env: Mapping[str, str]) -> None:
    """Into an empty database."""
    text = gzip.decompress(release.dump(database).read_bytes())
    if database == "sqlite":
        with closing(sqlite3.connect(sqlite_file(env))) as connection:
            connection.executescript(text.decode())
    else:
        command = [install.program("psql"), "--quiet", "--set", "ON_ERROR_STOP=1", env["DATABASE_URL"]]
        subprocess.run(command, input=text, check=True, capture_output=True)


Rows = dict[str, list[dict[str, str]]]  # by table, each by column; values as Python writes them


def lost(before: Rows, after: Rows) -> list[str]:
    """Return the tables in which a row of `before` is no more, or has another value in a column that is still there."""
    return [table for table, rows in before.items() if _left_out(rows, after.get(table, []))]


def _left_out(
    before: list[dict[str, str]], after: list[dict[str, str]]
) -> Counter[tuple[tuple[str, str], ...]]:
    common = set(before[0]).intersection(after[0]) if before and after else set()
    old, new = (
        Counter(tuple(sorted((c, row[c]) for c in common)) for row in rows) for rows in (before, after)
    )
    return old - new


# Run inside of an installation, by `manage.py shell`: prints Rows as JSON.
ROWS = """
import json
from django.db import connection
found = {}
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT * FROM "{table}"')
        names = [each[0] for each in cursor.description]
        found[table] = [
            {name: repr(bytes(value) if isinstance(value, memoryview) else value)
             for name, value in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        ]
print("ROWS", json.dumps(found))
"""
