"""The test of a password beside real registries: it agrees with what docker would see."""

from pathlib import Path
from typing import Any

import pytest

from namespaces.granted_repositories import granted_repositories
from registry_sync.client import Timing
from registry_sync.doctor import local
from registry_sync.doctor.credential_probe import Wanted, try_login
from tests import factories
from tests.contract.test_doctor import Config, configuration, other_authority, panel, setting
from tests.parts import processes, registries
from tests.parts.fixtures import MakeRegistry

PATIENT = Timing(connect=processes.PATIENCE, read=processes.PATIENCE)
__all__ = ["configuration", "panel"]
pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]


def problems(user: Any) -> list[str]:
    wanted = [Wanted(*each) for each in granted_repositories(user, 10)]
    steps = try_login(
        user.username, user.password, wanted, local.panel_settings(), timing=PATIENT, total=processes.PATIENCE
    )
    return [step.problem for step in steps]


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_a_password_proves_itself(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    make_registry(version, configuration, tmp_path)
    user = factories.RegistryUserFactory()
    factories.GrantFactory(user=user, namespace=factories.NamespaceFactory(account=user.account, name="team"))
    assert problems(user) == ["", "", "", ""]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_authority, "does not trust the panel’s tokens"),
        (setting("auth", "token", "realm", value="http://localhost:1/auth/token"), "was not sent there"),
    ],
    ids=["authority", "realm"],
)
def test_what_is_set_up_wrongly_is_said(
    change: Any, words: str, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    change(configuration, tmp_path)
    make_registry(registries.VERSIONS[0], configuration, tmp_path)
    assert words in problems(factories.RegistryUserFactory())[-1]
