"""An account with a namespace, a user who may push, and an API token, in an installation that runs beside."""

import subprocess
import sys
from collections.abc import Mapping

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
    return shell(env, SET_UP + code)


def shell(env: Mapping[str, str], code: str) -> str:
    """What the code printed, run inside the installation."""
    return manage(env, "shell", "--verbosity", "0", "--command", code)


def manage(env: Mapping[str, str], *words: str) -> str:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
