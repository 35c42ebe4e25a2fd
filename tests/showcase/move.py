"""The rows of the installation go to SQLite and to another PostgreSQL, and are the same to the microsecond."""

import tarfile
from collections import Counter
from pathlib import Path

from tests.parts import postgres
from tests.showcase.installation import OURS, Installation
from tests.showcase.told import demand, say

Tables = dict[str, Counter[bytes]]


def show(at: Installation) -> None:
    at.stop(*OURS)
    with postgres.running() as other:
        sqlite, postgresql = at.folder / "sqlite", at.folder / "postgresql"
        places: dict[str, dict[str, str]] = {
            "PostgreSQL": {},
            # Production is PostgreSQL's alone.
            "SQLite": {
                "DATA_DIR": str(sqlite),
                "DATABASE_URL": f"sqlite:///{sqlite}/db.sqlite3",
                "ENVIRONMENT": "standalone",
            },
            "PostgreSQL again": {"DATA_DIR": str(postgresql), "DATABASE_URL": other},
        }
        archive, before = Path(), Tables()
        for name, settings in places.items():
            if before:
                Path(settings["DATA_DIR"]).mkdir()
                at.manage("init_data_dir", **settings)
                at.manage("restore", archive, "--passphrase-file", at.passphrase, "--move", **settings)
            archive = at.folder / f"{name}.tar".replace(" ", "-")
            at.manage("backup", archive, "--passphrase-file", at.passphrase, **settings)
            now = rows_of(archive)
            say(f"{name}: {len(now)} tables, {sum(each.total() for each in now.values()):,} rows")
            compare(before, now)
            say(f"  {at.manage('verify_audit_log', **settings).strip().splitlines()[-1]}")
            before = now


def compare(before: Tables, now: Tables) -> None:
    """Each row must be there as it was. A restore adds rows that tell of it."""
    lost = {name: (rows - now[name]).total() for name, rows in before.items()}
    demand(not any(lost.values()), f"no row is lost or changed: {lost}")
    added = {name: (rows - before.get(name, Counter())).total() for name, rows in now.items()}
    if before:
        more = ", ".join(f"{count} in {name}" for name, count in added.items() if count)
        say(f"  every row is there as it was; the restore added {more}")


def rows_of(archive: Path) -> Tables:
    """Return the rows of each table, as the archive has them: a line of JSON each."""
    found: Tables = {}
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.name.startswith("tables/") and (content := packed.extractfile(member)):
                name = member.name.split("/")[1]
                found.setdefault(name, Counter()).update(content.read().splitlines())
    return found
