"""Without its database the panel says so to everybody, and tells neither that it is empty nor where it is."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from tests.cast import Cast
from tests.integration.api.caller import Caller, token_of

PAGES = ["/", "/a/team-red/images/", "/a/team-red/users/", "/a/team-red/settings/", "/me/tokens/", "/search/?q=x",
         "/system/", "/readyz", "/me/sessions/"]  # fmt: skip
PLACE = "10.0.0.9"


def lost(error: type[Exception]) -> Any:
    def wrapper(*_arguments: Any) -> None:
        raise error(f"server closed the connection at {PLACE}")

    return connection.execute_wrapper(wrapper)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_unavailable_and_there_again(cast: Cast, path: str, error: type[Exception]) -> None:
    client = cast.client("owner")
    client.raise_request_exception = False
    before = client.get(path).status_code
    with lost(error):
        answer = client.get(path)
    assert answer.status_code == 503
    assert PLACE not in answer.content.decode()
    assert client.get(path).status_code == before != 503


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_api_is_unavailable_and_there_again(cast: Cast, error: type[Exception]) -> None:
    caller = Caller(token_of(cast.owner))
    caller.client.raise_request_exception = False
    with lost(error):
        answer = caller.get("accounts/team-red/users/")
    assert answer.status_code == 503
    assert PLACE not in answer.content.decode()
    assert caller.get("accounts/team-red/users/").status_code == 200


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_nobody_gets_in_meanwhile(cast: Cast, error: type[Exception]) -> None:
    client = Client(raise_request_exception=False)
    with lost(error):
        answer = client.post("/me/login/", {"login": cast.owner.email, "password": "correct horse battery"})
    assert answer.status_code == 503
    assert not answer.cookies
