"""Every client, through the whole standalone set: sign in, push, pull, and be refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Installation
from tests.parts import images
from tests.parts.clients import Client

pytestmark = pytest.mark.clients

# Runs inside the installation, through the same services as the pages.
WORLD = """
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts, users
from namespaces.services import grants, namespaces
by = principal_for(Person.objects.create_user("clients@example.com"), {})
account = accounts.open_account(by=by, name="Clients")
space = namespaces.create(by=by, account=account, name="clients")
for level in ("read", "write"):
    user, password = users.create(by=by, account=account, description=level, expires_at=None)
    grants.give(by=by, namespace=space, user=user, level=level)
    print(user.username, password)
"""


@pytest.fixture(scope="module")
def users(installation: Installation) -> dict[str, tuple[str, str]]:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", WORLD],
        env={**os.environ, **installation.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [tuple(line.split()) for line in done.stdout.splitlines()[-2:]]
    return {"read": lines[0], "write": lines[1]}  # type: ignore[dict-item]


@pytest.fixture
def single(tmp_path: Path) -> Path:
    return images.write_layout(tmp_path / "single", images.Image())


@pytest.fixture
def several(tmp_path: Path) -> Path:
    return images.write_layout(tmp_path / "several", *images.two_platforms())


def test_skopeo(
    installation: Installation,
    users: dict[str, tuple[str, str]],
    skopeo: Client,
    single: Path,
    several: Path,
    tmp_path: Path,
) -> None:
    at = f"{installation.registry}/clients/skopeo"
    name, password = users["write"]
    skopeo("login", "--username", name, "--password-stdin", installation.registry, stdin=password)
    skopeo("copy", f"oci:{single}:latest", f"docker://{at}:one")
    skopeo("copy", "--all", f"oci:{several}:latest", f"docker://{at}:all")
    skopeo("copy", "--all", f"docker://{at}:all", f"oci:{tmp_path / 'back'}:latest")
    assert '"one"' in skopeo("list-tags", f"docker://{at}").stdout
    refused = skopeo("delete", f"docker://{at}:one", check=False)
    assert refused.returncode != 0


def test_read_pulls_and_does_not_push(
    installation: Installation,
    users: dict[str, tuple[str, str]],
    skopeo: Client,
    single: Path,
    tmp_path: Path,
) -> None:
    at = f"{installation.registry}/clients/shared"
    name, password = users["write"]
    skopeo("login", "--username", name, "--password-stdin", installation.registry, stdin=password)
    skopeo("copy", f"oci:{single}:latest", f"docker://{at}:one")
    name, password = users["read"]
    skopeo("login", "--username", name, "--password-stdin", installation.registry, stdin=password)
    skopeo("copy", f"docker://{at}:one", f"oci:{tmp_path / 'back'}:latest")
    refused = skopeo("copy", f"oci:{single}:latest", f"docker://{at}:two", check=False)
    assert refused.returncode != 0
    assert "denied" in refused.stderr


def test_podman(
    installation: Installation, users: dict[str, tuple[str, str]], podman: Client, tmp_path: Path
) -> None:
    target = f"{installation.registry}/clients/podman:1"
    name, password = users["write"]
    podman("load", "--input", images.write_docker_tar(tmp_path / "image.tar", images.Image(), target))
    podman("login", "--username", name, "--password-stdin", installation.registry, stdin=password)
    podman("push", target)
    podman("rmi", target)
    podman("pull", target)
    podman("logout", installation.registry)
    assert podman("pull", f"{target}2", check=False).returncode != 0


def test_ctr(
    installation: Installation, users: dict[str, tuple[str, str]], ctr: Client, tmp_path: Path
) -> None:
    target = f"{installation.registry}/clients/ctr:1"
    who = ":".join(users["write"])
    ctr("images", "import", images.write_docker_tar(tmp_path / "image.tar", images.Image(), target))
    ctr("images", "push", "--plain-http", "--user", who, target)
    ctr("images", "rm", target)
    ctr("images", "pull", "--plain-http", "--user", who, target)
    wrong = f"{users['write'][0]}:wrong"
    assert ctr("images", "pull", "--plain-http", "--user", wrong, target, check=False).returncode != 0


def test_docker_is_told_what_is_wrong_with_a_password(
    installation: Installation, users: dict[str, tuple[str, str]], docker: Client
) -> None:
    name, _password = users["write"]
    login = ["login", installation.registry, "--username", name, "--password-stdin"]
    refused = docker(*login, stdin="hunter2", check=False)
    assert refused.returncode != 0
    assert "Wrong username or password" in refused.stderr
