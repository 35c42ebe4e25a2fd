"""What .dockerignore lets into the image is enough for each of its processes to start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.install import ROOT

pytestmark = pytest.mark.contract
COMMANDS = (
    ["manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
    ["manage.py", "check"],
    ["-c", "import manager.server.web"],
    ["-c", "import manager.server.tokens"],
    ["-c", "import manager.celery; manager.celery.app.loader.import_default_modules()"],
)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            path = ROOT / line[1:]
            if path.is_dir():
                shutil.copytree(
                    path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
                )
            else:
                shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: command[-1] if command[0] == "-c" else command[1]
)
def test_what_the_image_holds_is_enough(context: Path, command: list[str], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, *command], cwd=context, env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_version_is_told_without_settings(context: Path, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, *words], cwd=context, env=env, check=True, capture_output=True, text=True
        ).stdout
        for words in (["manage.py", "version"], ["manage.py", "--version"], ["-m", "manager.version"])
    ]
    assert len(set(told)) == 1
    assert f'version = "{told[0].strip()}"' in (context / "pyproject.toml").read_text()
