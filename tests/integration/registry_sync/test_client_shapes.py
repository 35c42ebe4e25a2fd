"""What real clients ask of the token door, replayed: clients.json holds it as they sent it, and what they must get.

Names are made alike: `team` and `other` are namespaces of one account, `pub` is a public one. `admin` has admin on all
three, `write` and `read` have their level on `team` alone. `holds` is null where the answer is 401.
"""

import base64
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.conf import settings

from accounts.denials import denials
from accounts.uses import uses
from namespaces.access import Level
from registry_sync.token.door import answer
from registry_sync.token.service import signer
from registry_sync.token.throttle import throttle
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

CLIENTS = json.loads(Path(__file__).with_name("clients.json").read_text())
LEVELS = {"admin": Level.ADMIN, "write": Level.WRITE, "read": Level.READ}
Pair = tuple[str, str]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    throttle._failures.clear()
    uses.forget()
    denials.forget()


@pytest.fixture
def credentials(cast: Cast) -> dict[str, Pair | None]:
    """Username and password by what the file calls them."""
    team, other, pub = (
        factories.NamespaceFactory(account=cast.account, name=name, public=name == "pub")
        for name in ("team", "other", "pub")
    )
    pairs: dict[str, Pair | None] = {}
    for name, level in LEVELS.items():
        user = factories.RegistryUserFactory(account=cast.account)
        for namespace in (team, other, pub) if name == "admin" else (team,):
            factories.GrantFactory(user=user, namespace=namespace, level=level)
        pairs[name] = user.username, user.password
    assert pairs["read"]
    return pairs | {
        "nobody": None,
        "wrong password": (pairs["read"][0], "wrong"),
        "a person": (cast.owner.email, "their own password"),
    }


def ask(client: dict[str, Any], pair: Pair | None, scopes: list[str]) -> tuple[int, Any]:
    """One request as this client makes it: GET with Basic, or POST of a form with the password in it."""
    more = {key: pair[0] if pair and value == "USERNAME" else value for key, value in client["sends"].items()}
    fields = [*more.items(), ("service", settings.TOKEN_SERVICE), *(("scope", scope) for scope in scopes)]
    environ = {"REQUEST_METHOD": client["method"], "REMOTE_ADDR": "192.0.2.1", "QUERY_STRING": ""}
    if client["method"] == "POST" and pair:
        fields += [("username", pair[0]), ("password", pair[1])]
    elif pair:
        environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(":".join(pair).encode()).decode()
    sent = urlencode(fields)
    if client["method"] == "GET":
        environ["QUERY_STRING"], sent = sent, ""
    form = {"wsgi.input": io.BytesIO(sent.encode()), "CONTENT_LENGTH": str(len(sent))}
    status, _headers, body = answer(environ | form, now=datetime.now(UTC))
    return status, json.loads(body)


def held(body: Any) -> list[str]:
    """What the token gives, written as in the file; containerd reads the second name, all others the first."""
    assert body["token"] == body["access_token"]
    claims = jwt.decode(body["token"], signer().leaf(now=0).key.public_key(), algorithms=["ES256"],
                        audience=settings.TOKEN_SERVICE, issuer=settings.TOKEN_ISSUER)  # fmt: skip
    assert {each["type"] for each in claims["access"]} <= {"repository"}
    order = ("pull", "push", "delete")
    return sorted(
        f"{each['name']}:{','.join(sorted(each['actions'], key=order.index))}" for each in claims["access"]
    )


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: f"{client['client']} {client['method']}")
def test_each_request_of_a_client_gets_what_it_needs(
    client: dict[str, Any], credentials: dict[str, Pair | None]
) -> None:
    for request in client["requests"]:
        status, body = ask(client, credentials[request["as"]], request["asks"])
        if request["holds"] is None:
            assert (status, body["errors"][0]["code"]) == (401, "UNAUTHORIZED"), request
        else:
            assert status == 200, (request, body)
            assert held(body) == sorted(request["holds"]), request


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: f"{client['client']} {client['method']}")
def test_none_of_them_gets_more_without_the_password(
    client: dict[str, Any], credentials: dict[str, Pair | None]
) -> None:
    scopes = [scope for request in client["requests"] for scope in request["asks"]]
    assert ask(client, credentials["wrong password"], scopes)[0] == 401
