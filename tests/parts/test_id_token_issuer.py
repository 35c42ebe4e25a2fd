"""The issuer of the tests behaves as issuers do, and as they should not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests.parts import id_token_claims
from tests.parts.id_token_issuer import IdTokenIssuer, SigningKey
from tests.parts.scripted import answer

AUDIENCE = "https://panel.example.com"
ALGORITHMS = ("RS256", "ES256", "EdDSA")


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[IdTokenIssuer]:
    with IdTokenIssuer(tmp_path) as issuer:
        yield issuer


def fetched(issuer: IdTokenIssuer, url: str) -> Any:
    return requests.get(url, verify=str(issuer.authority), timeout=120).json()


def verified(issuer: IdTokenIssuer, token: str) -> dict[str, Any]:
    """Verify by what its discovery leads to."""
    discovery = fetched(issuer, f"{issuer.url}/.well-known/openid-configuration")
    kid = jwt.get_unverified_header(token).get("kid")
    keys = [key for key in fetched(issuer, discovery["jwks_uri"])["keys"] if key.get("kid") == kid]
    claims: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(keys[0]),
        algorithms=ALGORITHMS,
        audience=AUDIENCE,
        issuer=discovery["issuer"],
        options={"require": ["exp", "iat", "nbf", "jti", "sub"]},
    )
    return claims


@pytest.mark.parametrize("path", ["", "/api/actions", "/"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_its_tokens_hold_by_its_own_keys(algorithm: str, path: str, tmp_path: Path) -> None:
    with IdTokenIssuer(tmp_path, path=path, keys=[SigningKey.make("a", algorithm)]) as issuer:
        token = issuer.sign(id_token_claims.github(), audience=AUDIENCE)
        assert (
            fetched(issuer, issuer.url.rstrip("/") + "/.well-known/openid-configuration") == issuer.discovery
        )
        assert jwt.PyJWK(json.loads(issuer.jwks)["keys"][0]).algorithm_name == algorithm
        if path != "/":
            assert verified(issuer, token)["repository_id"] == id_token_claims.REPOSITORY_ID


def test_a_rotation_ends_what_was_signed_before(issuer: IdTokenIssuer) -> None:
    before = issuer.sign(id_token_claims.gitlab(), audience=AUDIENCE)
    issuer.keys = [SigningKey.make("second")]
    with pytest.raises(IndexError):
        verified(issuer, before)
    assert verified(issuer, issuer.sign(id_token_claims.gitlab(), audience=AUDIENCE))["ref"] == "main"


def test_keys_without_names_and_with_the_same(issuer: IdTokenIssuer) -> None:
    issuer.keys = [SigningKey.make("same"), SigningKey.make("same", "ES256"), SigningKey.make(None, alg=None)]
    kids = [(key.get("kid"), key["kty"], key.get("alg")) for key in json.loads(issuer.jwks)["keys"]]
    assert kids == [("same", "RSA", "RS256"), ("same", "EC", "ES256"), (None, "RSA", None)]
    unnamed = issuer.sign(
        {}, audience=AUDIENCE, key=replace(issuer.keys[0], kid=None), x5u="https://x.example"
    )
    assert jwt.get_unverified_header(unnamed) == {"alg": "RS256", "typ": "JWT", "x5u": "https://x.example"}


def test_no_private_part_is_published(issuer: IdTokenIssuer) -> None:
    issuer.keys = [SigningKey.make(name, name) for name in ALGORITHMS]
    private = {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert not any(private & key.keys() for key in json.loads(issuer.jwks)["keys"])


@pytest.mark.parametrize("size", [2000, 2500, 2501, 2502, 4097, 12 * 1024])
def test_sizes(issuer: IdTokenIssuer, size: int) -> None:
    token = issuer.sign(id_token_claims.github(), audience=AUDIENCE, size=size)
    assert 0 <= len(token) - size < 4
    assert verified(issuer, token)["event_name"] == "push"


def test_an_old_token_has_ended(issuer: IdTokenIssuer) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(issuer, issuer.sign(id_token_claims.github(), audience=AUDIENCE, age=600))


def test_a_dead_one_comes_back(tmp_path: Path) -> None:
    with IdTokenIssuer(tmp_path) as issuer:
        port, keys = issuer.port, issuer.keys
        token = issuer.sign(id_token_claims.forgejo(), audience=AUDIENCE)
    with pytest.raises(requests.ConnectionError):
        fetched(issuer, f"https://127.0.0.1:{port}/jwks")
    with IdTokenIssuer(tmp_path, port=port, keys=keys) as again:
        assert verified(again, token)["repository"] == "org/api"


def test_what_it_is_told_to_say_it_says(issuer: IdTokenIssuer) -> None:
    url = f"{issuer.url}{issuer.jwks_path}"
    issuer.says[issuer.jwks_path] = answer(b" " * 10**6)
    assert len(requests.get(url, verify=str(issuer.authority), timeout=120).content) == 10**6
    issuer.says[issuer.jwks_path] = answer(drop=True)
    with pytest.raises(requests.ConnectionError):
        fetched(issuer, url)


def test_who_does_not_trust_its_authority_learns_nothing(
    issuer: IdTokenIssuer, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{issuer.url}{issuer.jwks_path}", timeout=120)
    assert (issuer.asked, capsys.readouterr().err) == ([], "")


KINDS = {
    "GitHub": id_token_claims.github(),
    "GitHub with ids": id_token_claims.github_with_ids(),
    "a pull request": id_token_claims.github_pull_request(),
    "GitLab": id_token_claims.gitlab(),
    "a merge request": id_token_claims.gitlab_merge_request(),
    "Forgejo": id_token_claims.forgejo(),
    "Buildkite": id_token_claims.buildkite(),
    "CircleCI": id_token_claims.circleci(),
    "Kubernetes": id_token_claims.kubernetes(aud=[AUDIENCE]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(issuer: IdTokenIssuer, kind: str) -> None:
    claims = KINDS[kind]
    token = issuer.sign(claims, audience=AUDIENCE)
    assert claims.items() <= verified(issuer, token).items()
