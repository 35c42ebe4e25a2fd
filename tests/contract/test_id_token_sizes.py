"""ID tokens of every size that is taken, through each proxy as it is documented, by both servers that give tokens."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from registry_sync.tokens.request import MAX_PASSWORD
from tests.contract.test_serving_tokens import served_on
from tests.parts import fixtures, id_token_claims, processes, proxies, team
from tests.parts.id_token_issuer import IdTokenIssuer

pytestmark = pytest.mark.contract
SERVICE = "localhost:5000"
AUDIENCE = "https://panel.example.com"
# As text, the token's `user:password` is a third longer in base64: this many bytes fill nginx's usual 8 KB.
MOST_BY_DEFAULT = 6_126
CODE = """
import json
from accounts.models import IdTokenIssuer, Person
from accounts.services import accounts, trust_policies, users
from accounts.views.request import principal_for
by = principal_for(Person.objects.create_user("ada@example.com"), {})
account = accounts.open_account(by=by, name="Team")
user, _none = users.create(by=by, account=account, description="ci", expires_at=None, with_password=False)
issuer = IdTokenIssuer.objects.create(url=%r, account=account, pasted_jwks=%r, preset="github")
rules = {"repository_id": {"is": [%r]}}
trust_policies.create(by=by, user=user, issuer=issuer, rules=rules)
print("MADE", user.username)
"""


@dataclass(frozen=True)
class Installation:
    ports: dict[str, int]  # of web and tokens
    issuer: IdTokenIssuer
    username: str

    def token(self, size: int) -> str:
        """Exactly so many bytes long. Base64 has lengths that it never takes, so the header may be longer."""
        for unknown in ("", "x", "xx"):
            for wanted in range(size - 3, size + 1):
                token = self.issuer.sign(
                    id_token_claims.github(), audience=AUDIENCE, size=wanted, unknown=unknown
                )
                if len(token) == size:
                    return token
        raise AssertionError(size)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("sizes")
    env = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env |= {"DATA_DIR": str(folder / "data"), "PUBLIC_URL": AUDIENCE}
    with ExitStack() as running:
        issuer = running.enter_context(IdTokenIssuer(folder / "issuer"))
        code = CODE % (issuer.url, issuer.jwks, id_token_claims.REPOSITORY_ID)
        username = team.install(env, code).split("MADE ")[1].strip()
        ports = {service: processes.free_port() for service in ("web", "tokens")}
        for service, port in ports.items():
            server = processes.start(
                service, served_on(port, service), log=folder / f"{service}.log", env=env
            )
            running.callback(server.stop)
            server.wait_until(
                lambda port=port: processes.http_answers(f"http://127.0.0.1:{port}/readyz"), "answer"
            )
        yield Installation(ports, issuer, username)


@pytest.fixture(scope="module", params=["no proxy", *proxies.PROXIES])
def doors(
    request: pytest.FixtureRequest, installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """Where tokens are given."""
    ports, name = installation.ports, request.param
    if name == "no proxy":
        yield [f"http://localhost:{port}" for port in ports.values()]
        return
    fixtures.need(name, root=name == "nginx")
    at = proxies.Upstreams(web=ports["web"], tokens=ports["tokens"])
    proxy, port = proxies.start(name, tmp_path_factory.mktemp(name), at)
    yield [f"http://localhost:{port}"]
    proxy.stop()


Ask = Callable[[str, str, str], requests.Response]


def by_get(url: str, username: str, password: str) -> requests.Response:
    """As docker, skopeo and most others."""
    auth = (username, password)
    return requests.get(f"{url}/auth/token", params={"service": SERVICE}, auth=auth, timeout=120)


def by_post(url: str, username: str, password: str) -> requests.Response:
    """As containerd and BuildKit."""
    form = {"grant_type": "password", "username": username, "password": password, "service": SERVICE}
    return requests.post(f"{url}/auth/token", data=form, timeout=120)


each_way = pytest.mark.parametrize("ask", [by_get, by_post])


@each_way
@pytest.mark.parametrize("size", [2_500, MOST_BY_DEFAULT, MOST_BY_DEFAULT + 1_000, MAX_PASSWORD])
def test_it_arrives_whole(doors: list[str], installation: Installation, ask: Ask, size: int) -> None:
    for url in doors:
        answer = ask(url, installation.username, installation.token(size))
        assert answer.status_code == 200, answer.text


@each_way
def test_a_byte_more_is_refused_with_the_limit(
    doors: list[str], installation: Installation, ask: Ask
) -> None:
    for url in doors:
        answer = ask(url, installation.username, installation.token(MAX_PASSWORD + 1))
        assert answer.status_code == 401
        assert f"{MAX_PASSWORD:,} bytes at most" in json.dumps(answer.json()), answer.text


def test_nginx_without_the_documented_line_takes_6126_bytes_by_get(
    installation: Installation, tmp_path: Path
) -> None:
    fixtures.need("nginx", root=True)
    at = proxies.Upstreams(web=installation.ports["web"], tokens=installation.ports["tokens"])
    lines = "large_client_header_buffers 2 256k;"

    def without(text: str) -> str:
        assert lines in text
        return text.replace(lines, "")

    proxy, port = proxies.start("nginx", tmp_path, at, without)
    try:
        beside = len(f"{installation.username}:")
        fits, too_long = (installation.token(MOST_BY_DEFAULT - beside + more) for more in (0, 4))
        url = f"http://localhost:{port}"
        assert by_get(url, installation.username, fits).status_code == 200
        assert by_get(url, installation.username, too_long).status_code == 400
        assert by_post(url, installation.username, too_long).status_code == 200
    finally:
        proxy.stop()
