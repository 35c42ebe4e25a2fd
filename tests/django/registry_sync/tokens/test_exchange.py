"""An ID token swapped for a password of an hour: what is taken, what is given, and what ends it."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.audit_actions import AuditAction
from accounts.common.client_ip import Origin
from accounts.common.errors import NotFound
from accounts.models import AuditEvent, IdTokenIssuer, RefusedIdToken, RegistryUser, Secret, TrustPolicy
from accounts.principal import SYSTEM
from accounts.refused_id_tokens import refused_id_tokens
from accounts.services import issuers, swapped_passwords, trust_policies
from namespaces.ledger.granted import granted
from namespaces.models import LedgerTotal
from registry_sync.tokens import exchange
from registry_sync.tokens.exchange import MAX_FORM, respond
from registry_sync.tokens.id_token_login import sign_in
from registry_sync.tokens.request import Credentials
from tests import factories
from tests.django.registry_sync.tokens.test_id_token_login import (
    AUDIENCE,
    GITHUB,
    PUSH,
    _nothing_noted,
    issuer,
    jwks,
    key,
    policy,
    token,
    user,
)
from tests.django.registry_sync.tokens.test_issuer import access, ask
from tests.parts import id_token_claims as jobs

__all__ = ["_nothing_noted", "issuer", "policy", "user"]
pytestmark = pytest.mark.django_db

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def swap(user: Any, *, method: str = "POST", body: bytes | None = None, **fields: Any) -> tuple[int, Any]:
    form = {
        "grant_type": GRANT,
        "subject_token_type": ID_TOKEN,
        "subject_token": token() if "subject_token" not in fields else "",
        "username": user.username,
    } | fields
    text = urlencode({name: value for name, value in form.items() if value is not None}).encode()
    environ = {
        "REQUEST_METHOD": method,
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_USER_AGENT": "curl/8.5.0",
        "wsgi.input": io.BytesIO(text if body is None else body),
    }
    status, headers, content = respond(environ, now=datetime.now(UTC))
    assert dict(headers)["Cache-Control"] == "no-store"
    return status, json.loads(content)


def test_the_password_works_as_the_user(user: Any, policy: Any) -> None:
    status, told = swap(user)
    assert status == 200
    password = told.pop("access_token")
    assert told == {
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "N_A",
        "expires_in": 3600,
        "username": user.username,
    }
    status, body = ask(user, PUSH, password=password)
    assert (status, access(body)) == (200, {"team/app": ["pull", "push"]})
    granted.write()
    assert set(LedgerTotal.objects.values_list("secret", flat=True)) == {-policy.pk}
    event = AuditEvent.objects.get(action=AuditAction.USER_PASSWORD_SWAPPED)
    assert event.after["policy"] == policy.shown
    assert password not in json.dumps(event.after)


@pytest.mark.parametrize("seconds", [300, 3600])
def test_for_as_long_as_was_asked(user: Any, policy: Any, seconds: int) -> None:
    assert swap(user, expires_in=seconds)[1]["expires_in"] == seconds
    ends = Secret.objects.get().expires_at
    assert ends
    assert timedelta(0) < timezone.now() + timedelta(seconds=seconds) - ends < timedelta(minutes=1)


def test_a_jwt_is_an_id_token(user: Any, policy: Any) -> None:
    assert swap(user, subject_token_type="urn:ietf:params:oauth:token-type:jwt")[0] == 200


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"username": ""}, "invalid_request"),
        ({"username": None}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": "x" * 13_000}, "invalid_request"),
        ({"subject_token": "rmp_x"}, "invalid_request"),
        ({"expires_in": "299"}, "invalid_request"),
        ({"expires_in": "3601"}, "invalid_request"),
        ({"expires_in": "-300"}, "invalid_request"),
        ({"expires_in": "٣٠٠"}, "invalid_request"),
        ({"expires_in": "9" * 5000}, "invalid_request"),
        ({"body": b"a=1&a=2"}, "invalid_request"),
        ({"body": b"\xff"}, "invalid_request"),
        ({"body": b"&".join(b"a%d=1" % n for n in range(30))}, "invalid_request"),
        ({"body": b"x" * (MAX_FORM + 1)}, "invalid_request"),
        ({"body": b"{}"}, "unsupported_grant_type"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_is_wrong_is_said(user: Any, policy: Any, fields: dict[str, Any], error: str) -> None:
    status, told = swap(user, **fields)
    assert (status, told["error"]) == (400, error)
    assert told["error_description"].isascii()
    assert not Secret.objects.exists()


def test_only_by_post(user: Any, policy: Any) -> None:
    assert swap(user, method="GET")[0] == 405


def test_a_token_that_may_not_sign_in_is_not_swapped(user: Any, policy: Any) -> None:
    status, told = swap(user, subject_token=token(jobs.github(ref="refs/heads/dev")))
    assert (status, told["error"]) == (400, "invalid_request")
    assert told["error_description"] == "'ref' is refs/heads/dev; the policy requires refs/heads/main."
    assert swap(factories.RegistryUserFactory())[0] == 400


def test_a_pull_request_s_is_not_swapped(user: Any, policy: Any) -> None:
    TrustPolicy.objects.update(rules={"repository_id": {"is": [jobs.REPOSITORY_ID]}})
    status, told = swap(user, subject_token=token(jobs.github_pull_request()))
    assert (status, told["error"]) == (400, "invalid_request")
    refused_id_tokens.write()
    assert RefusedIdToken.objects.get().kind == "pull_request"


def test_an_unknown_key_is_asked_for(user: Any, policy: Any) -> None:
    status, told = swap(user, subject_token=token(by=key("next")))
    assert (status, told["error"]) == (503, "temporarily_unavailable")


def end_policy(user: Any, policy: Any) -> None:
    trust_policies.disable(by=SYSTEM, policy=policy)


def delete_policy(user: Any, policy: Any) -> None:
    trust_policies.delete(by=SYSTEM, policy=policy)


def change_rules(user: Any, policy: Any) -> None:
    rules = {"repository_id": {"is": ["75"]}}
    trust_policies.edit(by=SYSTEM, policy=policy, rules=rules)


def end_issuer(user: Any, policy: Any) -> None:
    IdTokenIssuer.objects.update(enabled=False)


def take_a_key_out(user: Any, policy: Any) -> None:
    issuers.edit(by=SYSTEM, issuer=policy.issuer, pasted_jwks=jwks(key("next")))


def change_the_kind(user: Any, policy: Any) -> None:
    """Which claims name the owner, and which a pull request, is another matter then."""
    issuer = policy.issuer
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(url="https://github.example.com/_services/token")
    issuers.edit(by=SYSTEM, issuer=issuer, preset="gitlab")
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(url=GITHUB)


def end_user(user: Any, policy: Any) -> None:
    RegistryUser.objects.update(disabled_at=timezone.now())


def let_it_end(user: Any, policy: Any) -> None:
    Secret.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize(
    "end",
    [
        end_policy,
        delete_policy,
        change_rules,
        end_issuer,
        take_a_key_out,
        change_the_kind,
        end_user,
        let_it_end,
    ],
)
def test_what_ends_it(user: Any, policy: Any, end: Any) -> None:
    password = swap(user)[1]["access_token"]
    assert ask(user, PUSH, password=password)[0] == 200
    end(user, policy)
    assert ask(user, PUSH, password=password)[0] == 401


def test_a_new_name_or_one_key_more_ends_none(user: Any, policy: Any) -> None:
    password, keys = swap(user)[1]["access_token"], jwks(key("next"), key())
    issuers.edit(by=SYSTEM, issuer=policy.issuer, name="Jobs", pasted_jwks=keys)
    assert ask(user, PUSH, password=password)[0] == 200


def judged(user: Any) -> dict[str, Any]:
    """What a swap is given, once a token was let in."""
    origin = Origin("192.0.2.1", "curl/8.5.0", timezone.now())
    signed_in = sign_in(Credentials(user.username, token()), origin)
    return {
        "policy_id": signed_in.policy.id,
        "judged_by": exchange._judged_by(signed_in),
        "seconds": 300,
        "origin": origin,
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda: TrustPolicy.objects.update(rules={"repository_id": {"is": ["75"]}}),
        lambda: TrustPolicy.objects.update(audience="localhost:5000"),
        lambda: IdTokenIssuer.objects.update(preset="gitlab"),
        lambda: IdTokenIssuer.objects.update(pasted_jwks=jwks(key("next"))),
    ],
    ids=["rules", "audience", "kind", "keys"],
)
def test_what_is_changed_between_judging_and_swapping(
    user: Any, policy: Any, change: Callable[[], int]
) -> None:
    """All its passwords end with the change, and none may come after it for a token of before."""
    given = judged(user)
    assert swapped_passwords.swap(**given)
    Secret.objects.all().delete()
    assert change()
    with pytest.raises(NotFound):
        swapped_passwords.swap(**given)
    assert not Secret.objects.exists()


def test_one_key_more_between_judging_and_swapping_keeps_nobody_out(user: Any, policy: Any) -> None:
    given = judged(user)
    IdTokenIssuer.objects.update(pasted_jwks=jwks(key("next"), key()))
    assert swapped_passwords.swap(**given)


def test_a_change_that_lets_the_same_jobs_in_ends_nothing(user: Any, policy: Any) -> None:
    password = swap(user)[1]["access_token"]
    trust_policies.edit(by=SYSTEM, policy=policy, note="nightly")
    assert ask(user, PUSH, password=password)[0] == 200


def test_an_ended_one_says_what_it_was(user: Any, policy: Any) -> None:
    password = swap(user)[1]["access_token"]
    Secret.objects.update(expires_at=timezone.now())
    assert "swapped for an ID token" in ask(user, PUSH, password=password)[1]["errors"][0]["message"]


def test_so_many_work_at_a_time(user: Any, policy: Any) -> None:
    ends = timezone.now() + timedelta(minutes=5)
    Secret.objects.bulk_create(
        Secret(user=user, policy=policy, digest=f"{n:064}", pepper_version=1, expires_at=ends)
        for n in range(swapped_passwords.LIVE_MOST - 1)
    )
    assert [swap(user)[0] for _n in range(2)] == [200, 429]
    Secret.objects.update(expires_at=timezone.now())
    assert swap(user)[0] == 200
    assert Secret.objects.live(timezone.now()).count() == 1


def test_those_that_ended_are_forgotten(user: Any, policy: Any) -> None:
    for ago in (timedelta(days=2), timedelta(hours=1), timedelta(hours=-1)):
        swap(user)
        Secret.objects.filter(pk=Secret.objects.latest("pk").pk).update(expires_at=timezone.now() - ago)
    swapped_passwords.forget_ended(timezone.now())
    assert Secret.objects.count() == 2


def test_it_cannot_make_a_lasting_password(client: Any, user: Any, policy: Any) -> None:
    type(user.account).objects.update(self_rotation=True)
    password = swap(user)[1]["access_token"]
    answer = client.post("/api/v1/self/rotate/", headers={"authorization": basic(user.username, password)})
    assert answer.status_code == 401
    assert Secret.objects.count() == 1
    answer = client.post("/api/v1/self/rotate/", headers={"authorization": basic(user.username, token())})
    assert answer.status_code == 401
    assert AUDIENCE not in answer.content.decode()


def basic(username: str, password: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()
