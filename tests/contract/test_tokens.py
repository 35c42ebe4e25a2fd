"""What real registries make of our tokens."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from registry_sync.tokens import access_list, ca
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.issuer import signer
from registry_sync.tokens.signing import RELOAD_SECONDS, Signer
from registry_sync.tokens.wsgi import respond
from tests import factories
from tests.contract.conftest import bearer, push
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = pytest.mark.contract
ACCESS = [access_list.ResourceActions(type="repository", name="team/app", actions=["pull"])]


def payload(**other: object) -> dict[str, object]:
    return build_claims(issuer=settings.TOKEN_ISSUER, service=settings.TOKEN_SERVICE, subject="x", access=ACCESS,
                  now=int(time.time()), expires_in=300, id="1") | other  # fmt: skip


def status(registry: RunningRegistry, token: str) -> int:
    url = f"{registry.url}/v2/team/app/tags/list"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=120).status_code


def test_the_challenge_names_our_realm_and_service(registry: RunningRegistry) -> None:
    answer = requests.get(f"{registry.url}/v2/", timeout=120)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert f'service="{settings.TOKEN_SERVICE}"' in challenge
    assert "/auth/token" in challenge


def test_each_action_opens_its_door_and_no_other(registry: RunningRegistry) -> None:
    digest = push(registry, "team/app", "1.0", images.Image())
    manifest = f"{registry.url}/v2/team/app/manifests/{digest}"
    accept = {"Accept": images.MANIFEST}

    def get(*actions: str) -> int:
        return requests.get(manifest, headers=bearer("team/app", *actions) | accept, timeout=120).status_code

    assert get("pull") == 200
    assert requests.get(manifest, headers=bearer("team/other", "pull"), timeout=120).status_code == 401
    uploads = f"{registry.url}/v2/team/app/blobs/uploads/"
    assert requests.post(uploads, headers=bearer("team/app", "pull"), timeout=120).status_code == 401
    assert requests.post(uploads, headers=bearer("team/app", "pull", "push"), timeout=120).status_code == 202
    assert (
        requests.delete(manifest, headers=bearer("team/app", "pull", "push"), timeout=120).status_code == 401
    )
    assert requests.delete(manifest, headers=bearer("team/app", "delete"), timeout=120).status_code == 202


def test_a_mount_needs_the_right_to_its_source(registry: RunningRegistry) -> None:
    image = images.Image()
    push(registry, "victim/secret", "1", image)
    blob = image.layer_blobs[0].digest
    mount = {"mount": blob, "from": "victim/secret"}
    uploads = f"{registry.url}/v2/team/app/blobs/uploads/"
    refused = requests.post(uploads, params=mount, headers=bearer("team/app", "pull", "push"), timeout=120)
    assert refused.status_code == 401
    assert "repository:victim/secret:pull" in refused.headers["WWW-Authenticate"]
    both = [
        access_list.ResourceActions(type="repository", name="team/app", actions=["pull", "push"]),
        access_list.ResourceActions(type="repository", name="victim/secret", actions=["pull"]),
    ]
    token = signer().sign(payload(access=both))
    given = requests.post(uploads, params=mount, headers={"Authorization": f"Bearer {token}"}, timeout=120)
    assert given.status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [{"exp": 1_000_000_000}, {"nbf": 4_000_000_000}, {"aud": "other"}, {"iss": "other"}, {"access": []}],
)
def test_a_token_that_is_wrong_is_refused_and_its_twin_is_not(
    registry: RunningRegistry, wrong: dict[str, object]
) -> None:
    push(registry, "team/app", "1.0", images.Image())
    assert status(registry, signer().sign(payload() | {"iat": int(time.time())})) == 200
    assert status(registry, signer().sign(payload(**wrong))) == 401


def test_no_other_key_and_no_other_algorithm_signs(registry: RunningRegistry, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir(mode=0o700)
    ca.ensure_keys(evil, datetime.now(UTC))
    ours = signer().leaf(now=0)
    public = ours.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert status(registry, Signer(evil).sign(payload())) == 401
    assert status(registry, jwt.encode(payload(), None, algorithm="none", headers=ours.header)) == 401
    assert status(registry, _hs256(payload(), public, ours.header)) == 401
    theirs = Signer(evil).leaf(now=0)
    numbers = theirs.key.public_key().public_numbers()
    brought = {
        "kty": "EC",
        "crv": "P-256",
        "x": _b64(numbers.x.to_bytes(32)),
        "y": _b64(numbers.y.to_bytes(32)),
    }
    kid = ours.header["kid"]
    for header in (ours.header, {"kid": kid}, {"kid": kid, "jwk": brought}, {"kid": "../../../etc/passwd"},
                   {"kid": kid, "jku": "http://127.0.0.1:1/keys"}, {}):  # fmt: skip
        assert status(registry, jwt.encode(payload(), theirs.key, algorithm="ES256", headers=header)) == 401
    assert status(registry, jwt.encode(payload(), ours.key, algorithm="ES256", headers=ours.header)) == 404


def test_a_new_leaf_is_trusted_without_a_restart(registry: RunningRegistry) -> None:
    push(registry, "team/app", "1.0", images.Image())
    before = signer().leaf(now=0).header["kid"]
    leaf = settings.SECRETS_DIR / ca.LEAF
    leaf.unlink()
    assert ca.renew_leaf(settings.SECRETS_DIR, datetime.now(UTC))
    fresh = Signer(settings.SECRETS_DIR)
    assert fresh.leaf(now=int(time.time())).header["kid"] != before
    assert status(registry, fresh.sign(payload())) == 200


@pytest.mark.django_db
def test_pulls_go_on_while_the_leaf_is_renewed(
    registry: RunningRegistry, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The clock of the door is moved on by what the signer waits before it looks at the file again."""
    push(registry, "team/app", "1.0", images.Image())
    user = factories.RegistryUserFactory()
    factories.GrantFactory(user=user, namespace__name="team", namespace__account=user.account)
    statuses, kids = set(), []
    for step in range(3):
        now = datetime.now(UTC) + timedelta(seconds=step * RELOAD_SECONDS)
        for _pull in range(5):
            token = issued(user, now)
            kids.append(jwt.get_unverified_header(token)["kid"])
            statuses.add(status(registry, token))
        if step < 2:
            (folder / ca.LEAF).unlink()
            assert ca.renew_leaf(folder, datetime.now(UTC))
    assert statuses == {200}
    assert len(set(kids)) == 3
    assert "leaf" not in caplog.text


@pytest.fixture
def folder() -> Iterator[Path]:
    signer.cache_clear()
    yield settings.SECRETS_DIR
    signer.cache_clear()


def issued(user: Any, now: datetime) -> str:
    query = urlencode({"service": settings.TOKEN_SERVICE, "scope": "repository:team/app:pull"})
    pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    code, _headers, body = respond(
        {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "HTTP_AUTHORIZATION": f"Basic {pair}"}, now=now
    )
    assert code == 200
    return str(json.loads(body)["token"])


def _hs256(content: dict[str, object], key: bytes, header: dict[str, object]) -> str:
    """By hand: PyJWT refuses to take a public key for a shared secret, and the attacker does not."""
    parts = [header | {"alg": "HS256"}, content]
    text = ".".join(_b64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_b64(hmac.digest(key, text.encode(), 'sha256'))}"


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
