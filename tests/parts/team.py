"""An account with a namespace, a user who may push, and an API token, in an installation that runs beside."""

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.parts import commands
from tests.parts.processes import PartError

SET_UP = """
from io import StringIO
from django.core.management import call_command
call_command("init_data_dir", stdout=StringIO())
call_command("migrate", verbosity=0)
"""
CODE = """
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts, api_tokens, users
from namespaces.services import grants, namespaces
from django.utils import timezone
from registry_sync.reconcile.writer import record_catalog_read
record_catalog_read(timezone.now())
by = principal_for(Person.objects.create_user("ada@example.com"), {})
account = accounts.open_account(by=by, name="Team")
user, password = users.create(by=by, account=account, description="ci", expires_at=None)
space = namespaces.create(by=by, account=account, name="team")
grants.give(by=by, namespace=space, user=user, level="write", image_name="")
print("MADE", user.username, password, api_tokens.create(by=by, name="test", expires_at=None, confirmed=True)[1])
"""


def make(env: Mapping[str, str], *, new: bool = False) -> list[str]:
    """Account and namespace are called `team`. Returns username, password and API token."""
    told = install(env, CODE) if new else shell(env, CODE)
    return told.split("MADE ")[1].split()


def install(env: Mapping[str, str], code: str = "") -> str:
    """Prepares, migrates and runs the code, in one process: each needs a second to start."""
    put_database(env)
    return shell(env, SET_UP + code)


def put_database(env: Mapping[str, str]) -> None:
    """Give a new installation on SQLite its tables, which take ten times as long to make as to copy."""
    database = Path(env["DATA_DIR"]) / "db.sqlite3"
    if not env.get("DATABASE_URL") and not database.exists():
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database.write_bytes(_empty_database())


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        kept = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRETS_DIR")
        }
        shell(kept | {"DATA_DIR": folder}, SET_UP)
        return (Path(folder) / "db.sqlite3").read_bytes()


def shell(env: Mapping[str, str], code: str) -> str:
    """What the code printed, run inside the installation."""
    return manage(env, "shell", "--verbosity", "0", "--command", code)


def manage(env: Mapping[str, str], *words: str) -> str:
    done = commands.run(env, *words)
    if done.returncode:
        raise PartError(f"manage.py {' '.join(words)} ended with {done.returncode}.\n{done.stderr}")
    return done.stdout
