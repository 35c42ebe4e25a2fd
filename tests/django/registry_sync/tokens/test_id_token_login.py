"""Signing in with an ID token, asked as clients ask: whom it lets in, how far, and what is said where it does not."""

import dataclasses
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.conf import settings
from django.utils import timezone

from accounts.access_denials import denials
from accounts.id_tokens.keys import attempts
from accounts.last_used import uses
from accounts.models import Denial, IdTokenIssuer, RefusedIdToken, RegistryUser, TrustPolicy
from accounts.refused_id_tokens import KEPT, refused_id_tokens
from namespaces.access import Level
from namespaces.ledger.granted import granted
from namespaces.models import LedgerTotal
from registry_sync.tokens.request import KEYS_COMING, MAX_PASSWORD
from registry_sync.tokens.throttle import throttle
from registry_sync.tokens.wsgi import respond
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import access, ask, claims
from tests.parts import id_token_claims as jobs
from tests.parts.id_token_issuer import SigningKey
from tests.statements import asked_of_the_driver

pytestmark = pytest.mark.django_db

GITHUB = "https://token.actions.githubusercontent.com"
AUDIENCE = "https://panel.example.com"
RULES = {"repository_id": {"is": [jobs.REPOSITORY_ID]}, "ref": {"is": ["refs/heads/main"]}}
PUSH = "repository:team/app:pull,push"


@cache
def key(kid: str | None = "first", algorithm: str = "RS256") -> SigningKey:
    return SigningKey.make(kid, algorithm)


def jwks(*keys: SigningKey) -> str:
    return json.dumps({"keys": [each.published for each in keys]})


def token(
    said: dict[str, Any] | None = None, *, by: SigningKey | None = None, age: float = 0, **more: Any
) -> str:
    issued = int(datetime.now(UTC).timestamp() - age)
    whole = {"iss": GITHUB, "aud": AUDIENCE, "iat": issued, "nbf": issued, "exp": issued + 300}
    whole |= (jobs.github() if said is None else said) | more
    return (by or key()).sign(whole)


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    throttle._failures.clear()
    for batch in (uses, denials, granted, refused_id_tokens):
        batch.forget()


@pytest.fixture
def issuer() -> Any:
    IdTokenIssuer.objects.filter(url=GITHUB).delete()
    return factories.IdTokenIssuerFactory(url=GITHUB, preset="github", name="GitHub", jwks=jwks(key()))


@pytest.fixture
def user(cast: Cast, issuer: Any) -> Any:
    """One without any password, that may write in `team`."""
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account)
    user.secrets.all().delete()
    factories.GrantFactory(user=user, namespace=namespace, level=Level.WRITE)
    return user


@pytest.fixture
def policy(user: Any, issuer: Any) -> Any:
    return factories.TrustPolicyFactory(user=user, issuer=issuer, audience=AUDIENCE, rules=RULES)


def message(body: Any) -> str:
    return str(body["errors"][0]["message"])


def test_an_id_token_is_a_password(user: Any, policy: Any) -> None:
    status, body = ask(user, PUSH, password=token())
    assert (status, access(body)) == (200, {"team/app": ["pull", "push"]})
    assert claims(body)["sub"] == user.username
    assert ask(user, password=token())[0] == 200  # docker login


def test_it_takes_two_statements(user: Any, policy: Any) -> None:
    with asked_of_the_driver() as statements:
        assert ask(user, PUSH, "repository:team/other:pull", password=token())[0] == 200
    assert len(statements) == 2


def test_by_form_as_containerd_sends_it(user: Any, policy: Any) -> None:
    form = {
        "grant_type": "password",
        "username": user.username,
        "password": token(padding="x" * 6000),
        "service": settings.TOKEN_SERVICE,
        "scope": PUSH,
    }
    status, body = ask(method="POST", form=form)
    assert (status, access(body)) == (200, {"team/app": ["pull", "push"]})


def test_the_largest_is_taken_by_both_ways(user: Any, policy: Any) -> None:
    whole = token(padding="x" * ((MAX_PASSWORD - len(token(padding=""))) * 3 // 4))
    assert MAX_PASSWORD - 4 < len(whole) <= MAX_PASSWORD
    form = {"grant_type": "password", "username": user.username, "service": settings.TOKEN_SERVICE}
    assert ask(user, PUSH, password=whole)[0] == 200
    assert ask(method="POST", form=form | {"password": whole, "scope": PUSH})[0] == 200
    beyond = whole + "A" * (MAX_PASSWORD + 1 - len(whole))
    for status, body in (
        ask(user, PUSH, password=beyond),
        ask(method="POST", form=form | {"password": beyond, "scope": PUSH}),
    ):
        assert status == 401
        assert "12,288 bytes" in message(body)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_by_each_algorithm(user: Any, policy: Any, issuer: Any, algorithm: str) -> None:
    other = key("other", algorithm)
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(jwks=jwks(key(), other))
    assert ask(user, PUSH, password=token(by=other))[0] == 200


def test_old_and_new_subjects_are_alike(user: Any, policy: Any) -> None:
    assert ask(user, PUSH, password=token(jobs.github_with_ids()))[0] == 200


def other_user(cast: Cast) -> Any:
    user = factories.RegistryUserFactory(account=cast.account)
    factories.GrantFactory(user=user, namespace=cast.account.namespaces.get(name="team"), level=Level.WRITE)
    return user


def test_of_one_user_alone(cast: Cast, user: Any, policy: Any) -> None:
    status, body = ask(other_user(cast), PUSH, password=token())
    assert status == 401
    assert "trusts no ID tokens of this issuer" in message(body)


@pytest.mark.parametrize("right", list(product((True, False), repeat=6)))
def test_only_where_user_key_issuer_audience_time_and_rules_are_right_it_grants(
    cast: Cast, user: Any, policy: Any, right: tuple[bool, ...]
) -> None:
    of_user, of_key, of_issuer, of_audience, in_time, of_rules = right
    changed: dict[str, Any] = {}
    if not of_issuer:  # of another that the same user trusts, too, by the same key
        other = factories.IdTokenIssuerFactory(jwks=jwks(key()))
        factories.TrustPolicyFactory(
            user=user, issuer=other, audience="https://other.example.com", rules={"sub": {"like": ["repo:*"]}}
        )
        changed["iss"] = other.url
    if not of_audience:
        changed["aud"] = "https://github.com/octo-org"
    if not in_time:
        changed["exp"] = int(datetime.now(UTC).timestamp()) - 61
    if not of_rules:
        changed["repository_id"] = "666"
    by = key() if of_key else dataclasses.replace(key("evil"), kid="first")
    password = token(by=by, **changed)
    status, body = ask(user if of_user else other_user(cast), PUSH, password=password)
    assert (status == 200) is all(right)
    assert ("token" in body) is all(right)


@pytest.mark.parametrize(
    "password",
    [
        lambda: token(by=dataclasses.replace(key("evil"), kid="first")),
        lambda: token()[:-6] + "AAAAAA",
        lambda: token(iss="https://gitlab.com"),
        lambda: token(iss=GITHUB + "/"),
        lambda: token(iss="https://evil.example.com\x00"),
        lambda: "eyJ.x.y",
        lambda: "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".AA",
    ],
)
def test_a_forged_one_is_counted_as_a_wrong_password(user: Any, policy: Any, password: Any) -> None:
    answers = [ask(user, PUSH, password=password())[0] for _n in range(31)]
    assert answers == [401] * 30 + [429]
    assert not refused_id_tokens.write()  # what a stranger wrote is not kept
    assert ask(user, PUSH, password=token())[0] == 200  # and keeps nobody out


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (jobs.github(ref="refs/heads/dev"), "“ref” is refs/heads/dev; the policy requires refs/heads/main"),
        (
            jobs.github(aud="https://github.com/octo-org"),
            "“aud” is https://github.com/octo-org; the policy requires",
        ),
        (jobs.github(exp=0), "this ID token ended"),
        ({"ref": "refs/heads/main", "sub": "x"}, ""),
    ],
)
def test_a_genuine_one_that_is_refused_is_never_counted(
    user: Any, policy: Any, said: dict[str, Any], sentence: str
) -> None:
    for _n in range(40):
        status, body = ask(user, PUSH, password=token(said))
        assert status == 401
    assert sentence.lower() in message(body).lower()
    refused_id_tokens.write()
    kept = RefusedIdToken.objects.get()
    assert (kept.policy, kept.count) == (policy, 40)
    assert kept.claims["ref"] == said["ref"]
    assert sentence in kept.reason
    denials.write()
    denial = Denial.objects.get()
    assert (denial.action, denial.repository, denial.count) == ("id_token", "", 40)
    assert sentence in denial.reason


def test_a_stranger_is_not_told_what_the_policy_wants(user: Any, policy: Any) -> None:
    status, body = ask(user, PUSH, password=token(jobs.github(repository_id="666")))
    assert status == 401
    assert jobs.REPOSITORY_ID not in message(body)
    refused_id_tokens.write()
    assert jobs.REPOSITORY_ID in RefusedIdToken.objects.get().reason  # members are


def test_strangers_take_up_one_row_however_many_they_are(user: Any, policy: Any) -> None:
    for number in range(30):
        ask(user, PUSH, password=token(jobs.github(repository_id=str(number), ref=f"refs/heads/{number}")))
    refused_id_tokens.write()
    assert RefusedIdToken.objects.get().count == 30


def test_an_ended_one_says_when_it_ended(user: Any, policy: Any) -> None:
    assert ask(user, PUSH, password=token(age=480))[1]["errors"][0]["message"] == (
        "This ID token ended 3 minutes ago."
    )


def test_a_pull_request_may_only_pull(user: Any, policy: Any) -> None:
    TrustPolicy.objects.update(rules={"repository_id": {"is": [jobs.REPOSITORY_ID]}})
    status, body = ask(user, PUSH, password=token(jobs.github_pull_request()))
    assert (status, access(body)) == (200, {"team/app": ["pull"]})
    refused_id_tokens.write()
    kept = RefusedIdToken.objects.get()
    assert (kept.kind, kept.claims["ref"]) == ("pull_request", "refs/pull/9/merge")
    denials.write()
    denial = Denial.objects.get()
    assert (denial.repository, denial.action) == ("team/app", "push")
    assert denial.reason == "push denied: the ID token comes from a pull request"


def test_a_pull_request_that_only_pulls_is_not_refused(user: Any, policy: Any) -> None:
    TrustPolicy.objects.update(rules={"repository_id": {"is": [jobs.REPOSITORY_ID]}})
    assert access(ask(user, "repository:team/app:pull", password=token(jobs.github_pull_request()))[1])
    ask(user, "repository:elsewhere/app:pull,push", password=token(jobs.github_pull_request()))
    assert not refused_id_tokens.write()  # it has no permission there anyway


def test_a_pull_request_pushes_where_the_policy_says_so(user: Any, policy: Any) -> None:
    TrustPolicy.objects.update(
        rules={"repository_id": {"is": [jobs.REPOSITORY_ID]}}, pull_requests_may_push=True
    )
    body = ask(user, PUSH, password=token(jobs.github_pull_request()))[1]
    assert access(body) == {"team/app": ["pull", "push"]}


def test_of_two_policies_that_match_the_wider_counts(user: Any, issuer: Any) -> None:
    rules = {"repository_id": {"is": [jobs.REPOSITORY_ID]}}
    for may_push in (False, True):
        factories.TrustPolicyFactory(
            user=user, issuer=issuer, audience=AUDIENCE, rules=rules, pull_requests_may_push=may_push
        )
    body = ask(user, PUSH, password=token(jobs.github_pull_request()))[1]
    assert access(body) == {"team/app": ["pull", "push"]}


@pytest.mark.parametrize(
    "rules", [{}, {"ref": {"is": ["refs/heads/main"]}}, {"repository_id": {"like": ["1*"]}}, []]
)
def test_a_policy_that_lets_in_strangers_lets_in_nobody(user: Any, policy: Any, rules: Any) -> None:
    TrustPolicy.objects.update(rules=rules)
    assert ask(user, PUSH, password=token())[0] == 401


def disable_policy(user: Any, policy: Any) -> None:
    TrustPolicy.objects.update(disabled_at=timezone.now())


def disable_issuer(user: Any, policy: Any) -> None:
    IdTokenIssuer.objects.update(enabled=False)


def hand_issuer_over(user: Any, policy: Any) -> None:
    IdTokenIssuer.objects.filter(url=GITHUB).update(account=factories.AccountFactory())


def disable_user(user: Any, policy: Any) -> None:
    RegistryUser.objects.update(disabled_at=timezone.now())


def expire_user(user: Any, policy: Any) -> None:
    RegistryUser.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def suspend_account(user: Any, policy: Any) -> None:
    type(user.account).objects.update(suspended_at=timezone.now())


@pytest.mark.parametrize(
    "end", [disable_policy, disable_issuer, hand_issuer_over, disable_user, expire_user, suspend_account]
)
def test_what_ends_it(user: Any, policy: Any, end: Any) -> None:
    assert ask(user, PUSH, password=token())[0] == 200
    end(user, policy)
    assert ask(user, PUSH, password=token())[0] == 401


def test_an_account_s_own_issuer_has_its_own_keys(cast: Cast, user: Any, policy: Any) -> None:
    own = factories.IdTokenIssuerFactory(
        account=cast.account, url=GITHUB, preset="github", pasted_jwks=jwks(key("own"))
    )
    assert ask(user, PUSH, password=token(by=key("own")))[0] == 503  # the installation's may have it soon
    factories.TrustPolicyFactory(
        user=user, issuer=own, audience=AUDIENCE, rules={"repository_id": {"is": [jobs.REPOSITORY_ID]}}
    )
    assert ask(user, PUSH, password=token(by=key("own")))[0] == 200
    assert ask(user, PUSH, password=token())[0] == 200
    odd = token(jobs.github(ref="refs/heads/dev"))
    assert ask(user, PUSH, password=odd)[0] == 401  # the policy of the other keys would take it


def test_an_unknown_key_is_asked_for_and_then_unknown(user: Any, policy: Any, issuer: Any) -> None:
    for _n in range(40):
        status, _body = ask(user, PUSH, password=token(by=key("next")))
        assert status == 503
    issuer.refresh_from_db()
    assert issuer.asked_at
    now = timezone.now()
    IdTokenIssuer.objects.update(tried_at=now, next_try_at=now + timedelta(hours=1))
    status, body = ask(user, PUSH, password=token(by=key("next")))
    assert status == 401
    assert "key “next”" in message(body)
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(jwks=jwks(key(), key("next")))
    assert ask(user, PUSH, password=token(by=key("next")))[0] == 200


def test_so_is_the_key_of_an_issuer_that_names_none(user: Any, policy: Any, issuer: Any) -> None:
    """Else its jobs would be refused until the hourly look, after each rotation."""
    IdTokenIssuer.objects.update(jwks=jwks(key(None)))
    assert ask(user, PUSH, password=token(by=key(None)))[0] == 200
    rotated = SigningKey.make(None)
    assert ask(user, PUSH, password=token(by=rotated))[0] == 503
    issuer.refresh_from_db()
    assert issuer.asked_at
    now = timezone.now()
    IdTokenIssuer.objects.update(tried_at=now, next_try_at=now + timedelta(hours=1))
    assert ask(user, PUSH, password=token(by=rotated))[0] == 401


def test_a_server_is_told_whose_keys_it_may_wait_for(user: Any, policy: Any, issuer: Any) -> None:
    """There is something to see when they were fetched, and when they could not be."""
    pair = f"{user.username}:{token(by=key('next'))}".encode()
    environ: dict[str, Any] = {
        "HTTP_AUTHORIZATION": f"Basic {b64encode(pair).decode()}",
        "QUERY_STRING": f"service={settings.TOKEN_SERVICE}",
        "REMOTE_ADDR": "192.0.2.1",
    }
    assert respond(environ, now=timezone.now())[0] == 503
    assert environ[KEYS_COMING] == {issuer.pk}
    before = attempts({issuer.pk})
    IdTokenIssuer.objects.update(tried_at=timezone.now())
    assert attempts({issuer.pk}) == before  # begun, and not at an end
    IdTokenIssuer.objects.update(failures=1)
    assert attempts({issuer.pk}) != before
    IdTokenIssuer.objects.update(failures=0, jwks_at=timezone.now())
    assert attempts({issuer.pk}) != before
    IdTokenIssuer.objects.update(next_try_at=timezone.now() + timedelta(hours=1))
    assert respond(environ, now=timezone.now())[0] == 401
    assert not environ[KEYS_COMING]


def test_what_is_recorded_names_the_policy(user: Any, policy: Any) -> None:
    ask(user, PUSH, password=token())
    uses.write()
    granted.write()
    policy.refresh_from_db()
    user.refresh_from_db()
    assert policy.last_used_at == user.last_used_at is not None
    assert (policy.last_used_from, policy.last_used_with) == ("192.0.2.1", "docker/27.3.1")
    assert set(LedgerTotal.objects.values_list("secret", flat=True)) == {-policy.pk}


def test_the_last_refusals_are_kept(user: Any, policy: Any) -> None:
    for number in range(KEPT + 5):
        ask(user, PUSH, password=token(jobs.github(ref=f"refs/heads/{number}")))
        refused_id_tokens.write()
    refs = [row.claims["ref"] for row in RefusedIdToken.objects.all()]
    assert refs == [f"refs/heads/{number}" for number in reversed(range(5, KEPT + 5))]


def test_claims_that_are_kept_are_bounded(user: Any, policy: Any) -> None:
    big = {f"claim{n}": "\x00" + "x" * 700 for n in range(9)}
    ask(user, PUSH, password=token(jobs.github(ref="refs/heads/dev") | big))
    refused_id_tokens.write()
    assert len(json.dumps(RefusedIdToken.objects.get().claims)) <= 8 * 1024


ODD = "odd\x00\ud800\u202e" + "x" * 150


def test_nothing_in_a_token_keeps_notes_from_being_written(user: Any, policy: Any) -> None:
    """What cannot be written would be tried again, with all that was noted beside it."""
    header, said, _signature = token(jobs.github() | {"ref": ODD, ODD: [ODD, {ODD: ODD}], "f": 7.5}).split(
        "."
    )
    endless = urlsafe_b64decode(said + "=" * (-len(said) % 4)).replace(b"7.5", b"1e400")
    genuine = signed(f"{header}.{urlsafe_b64encode(endless).rstrip(b'=').decode()}")
    now = timezone.now()
    IdTokenIssuer.objects.update(tried_at=now, next_try_at=now + timedelta(hours=1))
    for password in (genuine, token(by=dataclasses.replace(key(), kid=ODD))):
        assert ask(user, PUSH, password=password)[0] == 401
    assert refused_id_tokens.write() == 1
    assert denials.write() == 2
    assert RefusedIdToken.objects.get().claims["f"] is None


def signed(body: str) -> str:
    private: Any = key().private
    signature = private.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_two_issuers_with_one_name_and_key_each_have_their_policies(
    cast: Cast, user: Any, policy: Any
) -> None:
    own = factories.IdTokenIssuerFactory(
        account=cast.account, url=GITHUB, pasted_jwks=jwks(key()), preset="github"
    )
    rules = {"repository_id": {"is": [jobs.REPOSITORY_ID]}}
    factories.TrustPolicyFactory(user=user, issuer=own, audience=AUDIENCE, rules=rules)
    assert ask(user, PUSH, password=token(jobs.github(ref="refs/heads/dev")))[0] == 200
    assert ask(user, PUSH, password=token())[0] == 200


def test_a_policy_that_is_gone_is_no_error(user: Any, policy: Any) -> None:
    ask(user, PUSH, password=token(jobs.github(ref="refs/heads/dev")))
    ask(user, PUSH, password=token())
    TrustPolicy.objects.all().delete()
    refused_id_tokens.write()
    uses.write()
    assert not RefusedIdToken.objects.exists()
