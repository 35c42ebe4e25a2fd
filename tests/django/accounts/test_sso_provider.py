"""What the panel makes of a provider that answers wrongly, late or not at all."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from time import time
from typing import Any

import pytest

from accounts.sso import provider
from accounts.sso.id_token import Untrusted
from accounts.sso.provider import ProviderError
from tests.parts.id_token_issuer import SigningKey
from tests.parts.scripted import Answer, Scripted, answer

KEY, NEXT = SigningKey.make("first"), SigningKey.make("next")


class Provider(Scripted):
    """`token` and `claims` are what its answers hold; `says` has the better word on a path."""

    def __init__(self) -> None:
        super().__init__(otherwise=answer(status=404))
        self.keys = [KEY]
        self.signs = KEY
        self.userinfo: dict[str, Any] = {"sub": "ann", "email": "ann@example.com"}
        self.discovery: dict[str, Any] = {}
        self.forms: list[BaseHTTPRequestHandler] = []
        self.by_request["/.well-known/openid-configuration"] = lambda _request: answer(self.configuration)
        self.by_request["/keys"] = lambda _request: answer({"keys": [each.published for each in self.keys]})
        self.by_request["/token"] = self.token
        self.by_request["/me"] = lambda _request: answer(self.userinfo)

    @property
    def configuration(self) -> dict[str, Any]:
        urls = {
            "authorization_endpoint": "auth",
            "token_endpoint": "token",
            "userinfo_endpoint": "me",
            "jwks_uri": "keys",
        }
        named = {name: f"{self.url}/{path}" for name, path in urls.items()}
        made = {"issuer": self.url, **named, **self.discovery}
        return {name: value for name, value in made.items() if value is not None}

    def token(self, request: BaseHTTPRequestHandler) -> Answer:
        self.forms.append(request)
        now = int(time())
        claims = {"iss": self.url, "aud": "panel", "sub": "ann", "nonce": "n", "iat": now, "exp": now + 300}
        return answer({"access_token": "a", "id_token": self.signs.sign(claims)})


@pytest.fixture
def remote(settings: Any) -> Iterator[Provider]:
    found = Provider()
    settings.OIDC_ISSUER = found.url
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "panel", "s: cret"
    yield found
    found.stop()
    provider.breaker.failed(0)


def redeem() -> provider.Claims:
    return provider.redeem(code="c", verifier="v", nonce="n", redirect_uri="http://localhost/back/")


def test_a_right_answer(remote: Provider) -> None:
    found = redeem()
    assert (found.id_token["sub"], found.userinfo["email"]) == ("ann", "ann@example.com")


def test_rotated_keys_are_fetched_again(remote: Provider) -> None:
    redeem()
    remote.keys, remote.signs = [NEXT], NEXT
    assert redeem().id_token["sub"] == "ann"
    remote.signs = SigningKey.make("unknown")
    with pytest.raises(Untrusted, match="None of the provider’s keys"):
        redeem()


def test_userinfo_of_somebody_else_is_refused(remote: Provider) -> None:
    remote.userinfo = {"sub": "bob", "email": "bob@example.com"}
    with pytest.raises(Untrusted, match="two different people"):
        redeem()


def test_a_provider_without_userinfo(remote: Provider) -> None:
    remote.discovery = {"userinfo_endpoint": None}
    assert redeem().userinfo == {}


@pytest.mark.parametrize(
    ("path", "said", "words"),
    [
        ("/.well-known/openid-configuration", answer(status=404), "answers 404"),
        ("/.well-known/openid-configuration", answer(b"<html>"), "not a JSON object"),
        ("/.well-known/openid-configuration", answer([]), "not a JSON object"),
        ("/.well-known/openid-configuration", answer(b"[" * 200_000), "not a JSON object"),
        ("/.well-known/openid-configuration", answer(b" " * 300_000), "longer than"),
        (
            "/.well-known/openid-configuration",
            answer(status=302, Location="http://localhost/"),
            "answers 302",
        ),
        ("/.well-known/openid-configuration", answer(drop=True), "broke off"),
        ("/keys", answer(status=500), "answers 500"),
        ("/token", answer(status=502), "answers 502"),
        ("/token", answer(b"code=1"), "not a JSON object"),
        ("/me", answer(status=401), "answers 401"),
    ],
)
def test_no_answer_is_said_and_nothing_is_believed(
    remote: Provider, path: str, said: Answer, words: str
) -> None:
    del remote.by_request[path]
    remote.says[path] = said
    with pytest.raises(ProviderError) as caught:
        redeem()
    assert words in caught.value.detail
    assert "cannot be reached" in caught.value.message


@pytest.mark.parametrize(
    ("discovery", "words"),
    [
        ({"issuer": "https://elsewhere.example.com"}, "which is not OIDC_ISSUER"),
        ({"issuer": None}, "which is not OIDC_ISSUER"),
        ({"token_endpoint": None}, "no usable token_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "no usable jwks_uri"),
        ({"userinfo_endpoint": 7}, "no usable userinfo_endpoint"),
    ],
)
def test_discovery_must_be_of_this_issuer_and_whole(
    remote: Provider, discovery: dict[str, Any], words: str
) -> None:
    remote.discovery = discovery
    with pytest.raises(ProviderError) as caught:
        provider.configuration()
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer({"error": "invalid_grant"}, status=400), "did not confirm"),
        (answer({"error": {"a": 1}}, status=401), "did not confirm"),
        (answer({"access_token": "a"}), "sent no ID token"),
        (answer({"access_token": "a", "id_token": 7}), "sent no ID token"),
        (answer({"access_token": "a", "id_token": "x.y.z"}), "no valid ID token"),
    ],
)
def test_an_answer_without_proof_is_refused(remote: Provider, said: Answer, words: str) -> None:
    remote.by_request["/token"] = lambda _request: said
    with pytest.raises(Untrusted, match=words):
        redeem()


@pytest.mark.parametrize(
    ("methods", "header", "in_form"),
    [
        (None, "Basic cGFuZWw6cyUzQSUyMGNyZXQ=", False),  # panel:s%3A%20cret
        (["client_secret_basic"], "Basic cGFuZWw6cyUzQSUyMGNyZXQ=", False),
        (["client_secret_basic", "client_secret_post"], None, True),
    ],
)
def test_the_secret_goes_as_the_provider_wants_it(
    remote: Provider, methods: list[str] | None, header: str | None, in_form: bool
) -> None:
    remote.discovery = {"token_endpoint_auth_methods_supported": methods}
    redeem()
    (asked,) = remote.forms
    assert asked.headers["Authorization"] == header
    assert (b"client_secret=s%3A+cret" in remote.posted[-1].body) is in_form
    assert b"code_verifier=v" in remote.posted[-1].body


def test_a_client_without_secret_names_itself(remote: Provider, settings: Any) -> None:
    settings.OIDC_CLIENT_SECRET = ""
    redeem()
    assert b"client_id=panel" in remote.posted[-1].body
    assert remote.forms[0].headers["Authorization"] is None


def test_after_a_failure_nobody_waits_for_the_next(remote: Provider, settings: Any) -> None:
    remote.stop()
    with pytest.raises(ProviderError, match="cannot be reached"):
        provider.configuration()
    with pytest.raises(ProviderError) as caught:
        provider.configuration()
    assert "a moment ago" in caught.value.detail


def test_one_that_hangs_leaves_threads_to_others(remote: Provider) -> None:
    """As many ask at once as there are turns; the next is told to come again."""
    taken = [provider._turns.acquire(blocking=False) for _turn in range(provider.TOGETHER)]
    try:
        with pytest.raises(ProviderError) as caught:
            provider.configuration()
    finally:
        for _turn in taken:
            provider._turns.release()
    assert all(taken)
    assert "others are waiting" in caught.value.detail
