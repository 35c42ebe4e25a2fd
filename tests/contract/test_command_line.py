"""What a command says where it finds no database, or one that was not migrated: a sentence, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.parts import processes

pytestmark = pytest.mark.contract
AWAY, OTHER = "The panel cannot reach its database", "manage.py migrate was not run"


def said(command: str, database: str, data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", command, *options],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATA_DIR": str(data), "DATABASE_URL": database},
        check=False,
        capture_output=True,
        text=True,
        timeout=processes.PATIENCE,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    assert said("init_data_dir", f"sqlite:///{folder}/empty.sqlite3", folder).returncode == 0
    return folder


@pytest.fixture
def nobody() -> str:
    return f"postgresql://panel@127.0.0.1:{processes.free_port()}/panel"


@pytest.mark.parametrize("command", ["create_operator_link", "migrate", "verify_audit_log"])
def test_a_database_that_is_away(command: str, data: Path, nobody: str) -> None:
    done = said(command, nobody, data)
    (line,) = done.stderr.splitlines()
    assert line.startswith(AWAY)
    assert "Connection refused" in line
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["create_operator_link", "rotate_encryption_key"])
def test_a_database_that_was_not_migrated(command: str, data: Path) -> None:
    done = said(command, f"sqlite:///{data}/empty.sqlite3", data)
    (line,) = done.stderr.splitlines()
    assert OTHER in line
    assert done.returncode == 1


def test_the_traceback_is_there_for_who_asks(data: Path, nobody: str) -> None:
    assert "Traceback" in said("create_operator_link", nobody, data, "--traceback").stderr
