"""A process that is killed in the middle of a write leaves all of it or nothing: the change, and who made it."""

import os
import signal
import subprocess
import sys

import pytest

from tests.parts import team

pytestmark = pytest.mark.contract
WRITE = """
import os, signal
from accounts import audit
from accounts.models import Account, AuditEvent, Person
from accounts.views.request import principal_for
from accounts.services import users
def die(*_all, **_more):
    os.kill(os.getpid(), signal.SIGKILL)
def record_and_die(record=audit.record, **told):
    record(**told)
    die()
{patch}
by = principal_for(Person.objects.get(), {{}})
users.create(by=by, account=Account.objects.get(), description={name!r}, expires_at=None)
die()
"""
KILLED = {
    "the change is made, and the audit event is not": ("audit.record = die", "0 0"),
    "both are made, and not committed": ("audit.record = record_and_die", "0 0"),
    "both are committed": ("", "1 1"),
}
FOUND = """
from accounts.models import AuditEvent, RegistryUser
users = RegistryUser.objects.filter(description={name!r})
print("FOUND", users.count(), AuditEvent.objects.filter(object__startswith={name!r}).count())
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    made = kept | {"DATA_DIR": str(tmp_path_factory.mktemp("killed") / "data")}
    team.make(made, new=True)
    return made


@pytest.mark.parametrize("name", KILLED)
def test_a_change_and_its_audit_event_live_or_die_together(env: dict[str, str], name: str) -> None:
    patch, left = KILLED[name]
    command = [
        sys.executable,
        "manage.py",
        "shell",
        "--verbosity",
        "0",
        "--command",
        WRITE.format(patch=patch, name=name),
    ]
    killed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert team.shell(env, FOUND.format(name=name)).splitlines()[-1] == f"FOUND {left}"
