"""No setting in the shell of whoever runs the tests reaches them."""

import runpy
import subprocess

import pytest

from manager import environment, settings
from tests.environment import clear


def test_every_setting_of_the_shell_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, text = set(), environment.text

    def noted(name: str, default: str) -> str:
        asked.add(name)
        return text(name, default)

    monkeypatch.setattr(environment, "text", noted)
    runpy.run_path(settings.__file__)
    assert asked >= {"API_CALLS_PER_MINUTE", "DATABASE_URL", "REDIS_URL", "SECRETS_DIR"}
    shell = {each: "of the shell" for name in asked for each in (name, f"{name}_FILE")}
    clear(shell)
    assert shell == {"LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize(
    "name", ["DJANGO_SETTINGS_MODULE", "GRANIAN_PORT", "HTTP_PROXY", "LANG", "PGOPTIONS", "TZ"]
)
def test_what_libraries_read_is_forgotten_too(name: str) -> None:
    shell = {name: "of the shell", "PATH": "/bin", "CI": "true"}
    clear(shell)
    assert shell == {"PATH": "/bin", "CI": "true", "LC_ALL": "C.UTF-8"}


def test_the_database_is_the_one_that_is_meant_for_tests() -> None:
    shell = {"DATABASE_URL": "postgresql://real", "TEST_DATABASE_URL": "postgresql://made"}
    clear(shell)
    assert shell["DATABASE_URL"] == "postgresql://made"


def test_a_pure_test_starts_no_program() -> None:
    with pytest.raises(pytest.fail.Exception, match="starts a program"):
        subprocess.run(["true"], check=False)
