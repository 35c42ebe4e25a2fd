"""What real clients ask for tokens, replayed over HTTP: to both servers that give them, on both databases."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from registry_sync.tokens import ca
from tests.contract.test_serving_tokens import served_on
from tests.parts import fixtures, patient, postgres, processes, team
from tests.token_requests import LEVELS, NAMESPACES, Credentials, Request, held, load

pytestmark = pytest.mark.contract
SERVICE = "localhost:5000"
CODE = f"""
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts, users
from django.utils import timezone
from namespaces.services import grants, namespaces
from registry_sync.reconcile.writer import record_catalog_read
record_catalog_read(timezone.now())
by = principal_for(Person.objects.create_user("ada@example.com"), {{}})
account = accounts.open_account(by=by, name="Team")
spaces = [namespaces.create(by=by, account=account, name=name) for name in {NAMESPACES}]
namespaces.set_public(by=by, namespace=spaces[-1], public=True)
told = []
for level in {LEVELS}:
    user, password = users.create(by=by, account=account, description=level, expires_at=None)
    for space in spaces if level == "admin" else spaces[:1]:
        grants.give(by=by, namespace=space, user=user, level=level, image_name="")
    told += [user.username, password]
print("MADE", *told)
"""


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, str], dict[str, Credentials | None]]]:
    """Its environment, and who asks, by what the file calls them."""
    env = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env |= {"DATA_DIR": str(tmp_path_factory.mktemp("shapes")), **patient.ENV}
    with ExitStack() as parts:
        if request.param == "PostgreSQL":
            fixtures.need("postgresql")
            env["DATABASE_URL"] = parts.enter_context(postgres.cluster()).url
        told = team.install(env, CODE).split("MADE ")[1].split()
        found = {
            level: Credentials(*pair)
            for level, pair in zip(LEVELS, zip(told[::2], told[1::2], strict=True), strict=True)
        }
        yield (
            env,
            found
            | {
                "nobody": None,
                "wrong password": Credentials(found["read"].username, "wrong"),
                "a person": Credentials("ada@example.com", "their own password"),
            },
        )


@contextmanager
def serving(service: str, env: dict[str, str], folder: Path) -> Iterator[str]:
    port = processes.free_port()
    server = processes.start(service, served_on(port, service), log=folder / f"{service}.log", env=env)
    try:
        server.wait_until(lambda: processes.http_answers(f"http://127.0.0.1:{port}/readyz"), "answer")
        yield f"http://127.0.0.1:{port}/auth/token"
    finally:
        server.stop()


@pytest.mark.parametrize("service", ["web", "tokens"])
def test_each_request_of_a_client_gets_what_it_needs(
    service: str, installation: tuple[dict[str, str], dict[str, Credentials | None]], tmp_path: Path
) -> None:
    env, people = installation
    key = ca.load_pair(Path(env["DATA_DIR"]) / "secrets" / ca.LEAF).key.public_key()
    with serving(service, env, tmp_path) as url, requests.Session() as session:
        session.trust_env = False  # a .netrc would sign in who is signed out
        for client in load():
            session.headers["User-Agent"] = client.agent.encode().decode("latin-1")
            for each in client.requests:
                answer = ask(session, url, each, people[each.by])
                if each.held is None:
                    assert answer.status_code == 401, (client.name, each)
                else:
                    assert answer.status_code == 200, (client.name, each, answer.text)
                    assert held(access(answer.json(), key)) == each.held, (client.name, each)


def ask(session: requests.Session, url: str, request: Request, who: Credentials | None) -> requests.Response:
    fields = request.fields(SERVICE, who)
    if request.method == "POST":
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return session.post(url, data=fields, headers=form, timeout=120)
    auth = (who.username, who.password) if who else None
    return session.get(f"{url}?{fields}", auth=auth, timeout=120)


def access(body: dict[str, Any], key: Any) -> list[dict[str, Any]]:
    assert body["token"] == body["access_token"]
    found: list[dict[str, Any]] = jwt.decode(body["token"], key, algorithms=["ES256"], audience=SERVICE)[
        "access"
    ]
    return found
