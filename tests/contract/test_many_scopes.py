"""A thousand repositories in one request.

Asked of both servers that give tokens, through each proxy; and what they give, taken to both registries.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import jwt
import pytest
import requests
from django.conf import settings

from manager.standalone.data_dir import registry_config
from registry_sync.tokens import ca
from registry_sync.tokens.scope import MAX_LENGTH, MAX_REPOSITORIES
from tests.contract.test_serving_tokens import served_on
from tests.parts import fixtures, processes, proxies, registries, team

pytestmark = pytest.mark.contract
SERVICE = "localhost:5000"
PATIENCE = 120  # seconds
MOST_ADDRESS = 65_534  # bytes: what the server takes of an address, query and all


@dataclass(frozen=True)
class Installation:
    ports: dict[str, int]  # of web, tokens and the registries
    username: str
    password: str
    folder: Path


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("many")
    env = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env |= {"DATA_DIR": str(folder / "data")}
    username, password, _api_token = team.make(env, new=True)
    ports = {service: processes.free_port() for service in ("web", "tokens")}
    with ExitStack() as running:
        for service, port in ports.items():
            server = processes.start(
                service, served_on(port, service), log=folder / f"{service}.log", env=env
            )
            running.callback(server.stop)
            server.wait_until(
                lambda port=port: processes.http_answers(f"http://127.0.0.1:{port}/readyz"), "answer"
            )
        for version in registries.VERSIONS:
            fixtures.need(f"registry {version}")
            (folder / version).mkdir()
            config = registry_config(
                port=processes.free_port(),
                data=folder / version,
                realm="http://localhost:1/auth/token",
                service=SERVICE,
                issuer=settings.TOKEN_ISSUER,
                http_secret="tests",
                trusted=folder / "data/secrets" / ca.CA_CERTIFICATE,
            )
            registry = registries.start(version, config, folder / version)
            running.callback(registry.stop)
            ports[version] = registry.port
        yield Installation(ports, username, password, folder)


@dataclass(frozen=True)
class Way:
    """How a client gets at tokens, and at each registry."""

    tokens: list[str]
    registries: list[str]


@pytest.fixture(scope="module", params=["no proxy", *proxies.PROXIES])
def way(request: pytest.FixtureRequest, installation: Installation) -> Iterator[Way]:
    ports, name = installation.ports, request.param
    if name == "no proxy":
        urls = {service: f"http://localhost:{port}" for service, port in ports.items()}
        yield Way([urls["web"], urls["tokens"]], [urls[version] for version in registries.VERSIONS])
        return
    fixtures.need(name, root=name == "nginx")
    with ExitStack() as running:
        urls = {}
        for version in registries.VERSIONS:
            folder = installation.folder / f"{name}-{version}"
            folder.mkdir()
            at = proxies.Upstreams(web=ports["web"], tokens=ports["tokens"], registry=ports[version])
            proxy, port = proxies.start(name, folder, at)
            running.callback(proxy.stop)
            urls[version] = f"http://localhost:{port}"
        yield Way([urls["2.8"]], list(urls.values()))


def scopes(count: int = MAX_REPOSITORIES, name: str = "n") -> list[tuple[str, str]]:
    return [("scope", f"repository:team/many/{name}{number}:pull,push") for number in range(count)]


Ask = Callable[[str, Installation, list[tuple[str, str]]], requests.Response]


def get(url: str, at: Installation, asked: list[tuple[str, str]]) -> requests.Response:
    """As regclient: all of them repeated, and `service` after them."""
    query = urlencode([("account", at.username), *asked, ("service", SERVICE)])
    auth = (at.username, at.password)
    return requests.get(f"{url}/auth/token?{query}", auth=auth, timeout=PATIENCE)


def post(url: str, at: Installation, asked: list[tuple[str, str]]) -> requests.Response:
    """As containerd: all of them in one field, and `username` after it."""
    form = {"grant_type": "password", "password": at.password, "scope": " ".join(scope for _name, scope in asked),
            "service": SERVICE, "username": at.username}  # fmt: skip
    return requests.post(f"{url}/auth/token", data=form, timeout=PATIENCE)


@pytest.mark.parametrize("ask", [get, post])
def test_a_token_for_a_thousand_repositories_is_given_and_taken(
    way: Way, installation: Installation, ask: Ask
) -> None:
    for url in way.tokens:
        answer = ask(url, installation, scopes())
        assert answer.status_code == 200
        token = answer.json()["token"]
        access = jwt.decode(token, options={"verify_signature": False})["access"]
        assert [each["name"] for each in access] == [
            f"team/many/n{number}" for number in range(MAX_REPOSITORIES)
        ]
        for registry in way.registries:
            assert opens(registry, token, "team/many/n999")
            assert not opens(registry, token, "team/many/n1000")


def opens(registry: str, token: str, repository: str) -> bool:
    """The repository is not there; whoever may not look is told something else."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{registry}/v2/{repository}/tags/list", headers=headers, timeout=PATIENCE)
    assert answer.status_code in (401, 404), answer.text
    return answer.status_code == 404


def test_all_that_is_looked_at_of_a_form_arrives_if_all_of_it_is_escaped(
    way: Way, installation: Installation
) -> None:
    """The longest token that there is: names as long as a thousand of them can be, and every action."""
    name = "n" * (MAX_LENGTH // MAX_REPOSITORIES - len("repository:team/0000:*"))
    items = [f"repository:team/{name}{number:04}:*" for number in range(MAX_REPOSITORIES)]
    escaped = "%20".join("".join(f"%{ord(letter):02X}" for letter in item) for item in items)
    at = installation
    form = (
        f"grant_type=password&scope={escaped}&service={SERVICE}&username={at.username}&password={at.password}"
    )
    assert len(form) > 190_000
    for url in way.tokens:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(f"{url}/auth/token", data=form, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 200
        assert len(answer.json()["token"]) > 120_000
        for registry in way.registries:
            assert opens(registry, answer.json()["token"], f"team/{name}0999")


def test_an_address_is_taken_up_to_what_the_server_can_read(way: Way, installation: Installation) -> None:
    """All of a proxy's own bounds are wider."""
    asked = scopes(900)
    rest = MOST_ADDRESS - len("/auth/token?") - len(urlencode([("account", installation.username), *asked]))
    fill = rest - len("&x=") - len(f"&{urlencode([('service', SERVICE)])}")
    for url in way.tokens:
        assert get(url, installation, [*asked, ("x", "a" * fill)]).status_code == 200
        assert get(url, installation, [*asked, ("x", "a" * (fill + 1))]).status_code == 414
