"""What a server loads, it loads before anything has set Django up: under `make run` alone a parent has done that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "module", ["manager.server.web", "manager.server.tokens", "manager.wsgi", "manager.celery"]
)
def test_it_can_be_the_first_that_is_imported(module: str, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
