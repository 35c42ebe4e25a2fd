"""What real clients ask of the token door, replayed in front of it."""

import base64
import io
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from django.conf import settings

from accounts.access_denials import denials
from accounts.last_used import uses
from namespaces.access import Level
from registry_sync.tokens.issuer import signer
from registry_sync.tokens.throttle import throttle
from registry_sync.tokens.wsgi import respond
from tests import factories
from tests.cast import Cast
from tests.token_requests import LEVELS, NAMESPACES, Client, Credentials, Request, held, load

pytestmark = pytest.mark.django_db
CLIENTS = load()
People = dict[str, Credentials | None]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    throttle._failures.clear()
    uses.forget()
    denials.forget()


@pytest.fixture
def people(cast: Cast) -> People:
    """By what the file calls them."""
    spaces = [
        factories.NamespaceFactory(account=cast.account, name=name, public=name == "pub")
        for name in NAMESPACES
    ]
    found: dict[str, Credentials] = {}
    for name in LEVELS:
        user = factories.RegistryUserFactory(account=cast.account)
        for namespace in spaces if name == "admin" else spaces[:1]:
            factories.GrantFactory(user=user, namespace=namespace, level=Level.of(name))
        found[name] = Credentials(user.username, user.password)
    return found | {
        "nobody": None,
        "wrong password": Credentials(found["read"].username, "wrong"),
        "a person": Credentials(cast.owner.email, "their own password"),
    }


def ask(request: Request, who: Credentials | None) -> tuple[int, Any]:
    sent = request.fields(settings.TOKEN_SERVICE, who)
    environ = {"REQUEST_METHOD": request.method, "REMOTE_ADDR": "192.0.2.1", "QUERY_STRING": ""}
    if request.method == "GET":
        environ["QUERY_STRING"], sent = sent, ""
        if who:
            pair = f"{who.username}:{who.password}".encode()
            environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(pair).decode()
    form = {"wsgi.input": io.BytesIO(sent.encode()), "CONTENT_LENGTH": str(len(sent))}
    status, _headers, body = respond(environ | form, now=datetime.now(UTC))
    return status, json.loads(body)


def access(body: Any) -> list[dict[str, Any]]:
    """containerd reads the second name, all others the first."""
    assert body["token"] == body["access_token"]
    key = signer().leaf(now=0).key.public_key()
    claims = jwt.decode(body["token"], key, algorithms=["ES256"], audience=settings.TOKEN_SERVICE,
                        issuer=settings.TOKEN_ISSUER)  # fmt: skip
    found: list[dict[str, Any]] = claims["access"]
    return found


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_each_request_of_a_client_gets_what_it_needs(client: Client, people: People) -> None:
    for request in client.requests:
        status, body = ask(request, people[request.by])
        if request.held is None:
            assert (status, body["errors"][0]["code"]) == (401, "UNAUTHORIZED"), request
        else:
            assert status == 200, (request, body)
            assert held(access(body)) == request.held, request


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_none_of_them_gets_more_without_the_password(client: Client, people: People) -> None:
    for request in client.requests:
        if request.by != "nobody":
            assert ask(request, people["wrong password"])[0] in (401, 429)
