"""A data folder or database of another build is refused in one sentence, and stays as it is."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.parts import fixtures, patient, postgres, team

pytestmark = pytest.mark.contract
RECORD = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("INSERT INTO django_migrations (app, name, applied)"
                   " VALUES ('namespaces', '0002_of_another_build', CURRENT_TIMESTAMP)")
"""
SCHEMA = "from tests import schema; print(*schema.lines(), sep='\\n')"
WORDS = ["migrate --no-input", "init_data_dir", "run"]


def files(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_it_is_refused_and_nothing_is_changed(tmp_path: Path, kind: str) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env |= {"DATA_DIR": str(tmp_path / "data"), **patient.ENV}
    if kind == "sqlite":
        check(env, tmp_path / "data", WORDS)
        return
    fixtures.need("postgresql")
    with postgres.running() as url:
        check(env | {"DATABASE_URL": url}, tmp_path / "data", ["migrate --no-input", "run"])


def check(env: dict[str, str], folder: Path, commands: list[str]) -> None:
    team.install(env, RECORD)
    before = team.shell(env, SCHEMA), files(folder)
    for words in commands:
        asked = subprocess.run(
            [sys.executable, "manage.py", *words.split()],
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        assert asked.returncode == 1, words
        (sentence,) = asked.stderr.splitlines()
        assert "was made by another build (it records namespaces.0002_of_another_build" in sentence
    assert (team.shell(env, SCHEMA), files(folder)) == before
