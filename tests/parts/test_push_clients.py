"""Each client signs in, pushes and pulls, and says so when it is refused."""

from collections.abc import Callable

import pytest

from tests.parts import registries
from tests.parts.fixtures import MakeRegistry
from tests.parts.push_clients import PushClient

pytestmark = pytest.mark.clients
REFUSED = ("401", "unauthorized", "no basic auth", "credential not found")


@pytest.fixture(scope="module")
def registry(
    make_registry: MakeRegistry, tmp_path_factory: pytest.TempPathFactory
) -> registries.RunningRegistry:
    """A registry that knows one name, `bob`, with the secret `secret`."""
    passwords = tmp_path_factory.mktemp("htpasswd") / "htpasswd"
    passwords.write_text("bob:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n")
    return make_registry("3.1", {"auth": {"htpasswd": {"realm": "tests", "path": str(passwords)}}})


def test_it_pushes_and_pulls(
    registry: registries.RunningRegistry, push_client: Callable[[str], PushClient]
) -> None:
    client = push_client(registry.host)
    name = f"team/{type(client).__name__.lower()}:1.0.0"
    for step in (client.login("bob", "secret"), client.push(name), client.pull(name)):
        assert step.ok, step.printed


def test_it_says_that_it_was_refused(
    registry: registries.RunningRegistry, push_client: Callable[[str], PushClient]
) -> None:
    client = push_client(registry.host)
    client.login("bob", "wrong")
    refused = client.push("team/refused:1.0.0")
    assert not refused.ok
    assert any(word in refused.printed.lower() for word in REFUSED)
