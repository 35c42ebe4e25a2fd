"""Keep the schema of this version, with a row in each table, for the tests of later ones.

    python -m tests.tools.keep_release

Writes tests/releases/VERSION/, anew if it is there: with the release of that version, and never afterwards.
"""

import os
import tempfile
from pathlib import Path

from manager import version
from tests.parts import install, postgres, team
from tests.releases import kept

FILL = (kept.FOLDER / "fill.py").read_text()


def keep(release: kept.Release, database: str, env: dict[str, str]) -> tuple[str, str]:
    """Return the login of a user in it."""
    kept.write_pepper(env)
    username, password, _api_token = team.make(env, new=True)
    print(database, team.shell(env, FILL).strip())
    kept.dump(release, database, env)
    return username, password


def main() -> None:
    release = kept.Release(kept.FOLDER / version.read(install.ROOT))
    release.folder.mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    with tempfile.TemporaryDirectory() as folder, postgres.running() as url:
        places = {database: env | {"DATA_DIR": str(Path(folder) / database)} for database in kept.DATABASES}
        places["postgresql"]["DATABASE_URL"] = url
        release.keep_logins({database: keep(release, database, place) for database, place in places.items()})


if __name__ == "__main__":
    main()
