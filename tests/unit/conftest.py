"""What is tested here knows no database and starts no program: `make quick` lives by it."""

import subprocess

import pytest


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    if asked or request.node.get_closest_marker("django_db"):
        pytest.fail("A test with a database stands in tests/django.", pytrace=False)
    monkeypatch.setattr(subprocess, "Popen", Refused)


class Refused:
    def __init__(self, *_command: object, **_options: object) -> None:
        pytest.fail("A test that starts a program stands in tests/django or tests/contract.")
