"""Keys of issuers: fetched by the worker from a real issuer, kept when it is dead, and asked for within bounds."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.common import clock
from accounts.id_tokens import key_refresh, keys
from accounts.models import IdTokenIssuer
from accounts.outbound.addresses import networks_from
from manager.beat import HAS_WORK
from manager.celery import app
from registry_sync import tasks
from tests.factories import AccountFactory, IdTokenIssuerFactory, TrustPolicyFactory
from tests.parts.id_token_issuer import IdTokenIssuer as Issuer
from tests.parts.id_token_issuer import SigningKey
from tests.parts.scripted import Answer, answer

pytestmark = pytest.mark.django_db

KEYS = [SigningKey.make("first", "ES256")]
NEVER = "it is a link-local, multicast or metadata address"
PRIVATE = "The address is private (127.0.0.1); an operator can allow it with ISSUER_NETWORKS."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("issuer")


@pytest.fixture
def issuer(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    settings.ISSUER_NETWORKS = networks_from(["127.0.0.0/8"])
    with Issuer(folder, keys=list(KEYS)) as started:
        monkeypatch.setenv("SSL_CERT_FILE", str(started.authority))
        yield started


@pytest.fixture
def row(issuer: Issuer) -> IdTokenIssuer:
    found: IdTokenIssuer = TrustPolicyFactory(issuer=IdTokenIssuerFactory(url=issuer.url)).issuer
    return found


def refresh(row: IdTokenIssuer) -> IdTokenIssuer:
    """What the worker does when beat finds that the issuer is due."""
    assert keys.any_due()
    tasks.issuer_keys()
    row.refresh_from_db()
    return row


def make_due(row: IdTokenIssuer) -> None:
    IdTokenIssuer.objects.filter(pk=row.pk).update(next_try_at=timezone.now() - timedelta(seconds=1))


def wait(row: IdTokenIssuer, time: timedelta) -> None:
    """Make everything that happened to it so much older."""
    for name in ("tried_at", "next_try_at", "jwks_at", "asked_at"):
        if moment := getattr(row, name):
            IdTokenIssuer.objects.filter(pk=row.pk).update(**{name: moment - time})


def names(row: IdTokenIssuer) -> list[str | None]:
    return [key.key_id for key in keys.key_set(row)]


def test_the_keys_of_an_issuer_that_a_policy_trusts_are_fetched(issuer: Issuer, row: IdTokenIssuer) -> None:
    assert keys.key_set(row) == ()
    refresh(row)
    assert names(row) == ["first"]
    assert issuer.asked == [issuer.discovery_path, issuer.jwks_path]
    assert (row.problem, row.failures) == ("", 0)
    assert row.jwks_at
    assert not keys.any_due()


@pytest.mark.parametrize("path", ["/api/actions", "/with/slash/"])
def test_an_issuer_that_is_not_at_the_root_of_its_host(folder: Path, issuer: Issuer, path: str) -> None:
    with Issuer(folder, path=path, keys=list(KEYS)) as other:
        found = TrustPolicyFactory(issuer=IdTokenIssuerFactory(url=other.url)).issuer
        assert names(refresh(found)) == ["first"]
        assert other.asked[0] == f"{path.rstrip('/')}/.well-known/openid-configuration"
    assert found.url.endswith(path)


def test_the_schedule_wakes_the_worker_only_if_an_issuer_is_due(row: IdTokenIssuer) -> None:
    assert "registry_sync.issuer_keys" in {each["task"] for each in app.conf.beat_schedule.values()}
    has_work = HAS_WORK["registry_sync.issuer_keys"]
    assert has_work()
    tasks.issuer_keys()
    assert not has_work()


def test_an_issuer_that_nobody_trusts_is_left_alone(issuer: Issuer) -> None:
    found = IdTokenIssuerFactory(url=issuer.url)
    assert not keys.any_due()
    assert keys.ask_refresh(found.pk)
    assert names(refresh(found)) == ["first"]
    make_due(found)
    assert not keys.any_due()


@pytest.mark.parametrize("unfetched", [{"enabled": False}, {"pasted_jwks": "{}"}, {"account": True}])
def test_pasted_keys_and_what_is_switched_off_is_not_fetched(
    issuer: Issuer, row: IdTokenIssuer, unfetched: dict[str, object]
) -> None:
    if "account" in unfetched:
        unfetched = {"account": AccountFactory()}
    IdTokenIssuer.objects.filter(pk=row.pk).update(**unfetched)
    assert not keys.any_due()
    assert not keys.ask_refresh(row.pk)
    tasks.issuer_keys()
    assert not issuer.asked


def test_keys_are_fetched_every_hour(issuer: Issuer, row: IdTokenIssuer) -> None:
    refresh(row)
    wait(row, timedelta(minutes=59))
    assert not keys.any_due()
    issuer.keys = [SigningKey.make("second", "ES256")]
    row.refresh_from_db()
    wait(row, timedelta(minutes=2))
    assert names(refresh(row)) == ["second"]


def test_an_unknown_key_fetches_once_a_minute(issuer: Issuer, row: IdTokenIssuer) -> None:
    refresh(row)
    assert not keys.ask_refresh(row.pk)  # they came a moment ago
    assert not keys.any_due()
    wait(row, timedelta(minutes=2))
    assert keys.ask_refresh(row.pk)
    assert keys.ask_refresh(row.pk)  # it is about to be
    issuer.keys = [SigningKey.make("second", "ES256")]
    assert names(refresh(row)) == ["second"]
    assert not keys.ask_refresh(row.pk)


def test_while_one_worker_fetches_no_other_does(row: IdTokenIssuer) -> None:
    now = clock.now()
    (one,), (other,) = list(keys.due(now)), list(keys.due(now))
    assert key_refresh._take(one, now)
    assert not key_refresh._take(other, now)
    assert not keys.any_due()
    assert keys.ask_refresh(row.pk)  # they are on their way
    wait(IdTokenIssuer.objects.get(pk=row.pk), key_refresh.LEASE)
    assert keys.any_due()  # that worker was killed


def test_a_dead_issuer_keeps_its_keys_and_is_asked_less_and_less(issuer: Issuer, row: IdTokenIssuer) -> None:
    refresh(row)
    before = row.jwks_at
    issuer.says[issuer.jwks_path] = answer(status=503)
    waits = []
    for _each in range(9):
        make_due(row)
        refresh(row)
        assert row.next_try_at
        waits.append(round((row.next_try_at - timezone.now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (names(row), row.jwks_at) == (["first"], before)
    assert row.problem == f"{issuer.url}/jwks answers 503."
    assert not keys.ask_refresh(row.pk)
    del issuer.says[issuer.jwks_path]
    make_due(row)
    refresh(row)
    assert (row.problem, row.failures) == ("", 0)


def test_a_dead_issuer_holds_up_no_other(issuer: Issuer, row: IdTokenIssuer, folder: Path) -> None:
    with Issuer(folder, keys=list(KEYS)) as other:
        other.says[other.discovery_path] = answer(status=500)
        dead = TrustPolicyFactory(issuer=IdTokenIssuerFactory(url=other.url)).issuer
        assert key_refresh.refresh_due(now=clock.now()) == 1
    row.refresh_from_db()
    dead.refresh_from_db()
    assert (names(row), names(dead)) == (["first"], [])
    assert dead.problem == f"{other.url}/.well-known/openid-configuration answers 500."


def test_keys_are_written_before_a_slow_issuer_has_answered(
    row: IdTokenIssuer, issuer: Issuer, folder: Path, settings: Settings
) -> None:
    """Jobs wait for them."""
    settings.ISSUER_ANSWER_SECONDS = 240
    written, outcomes = threading.Event(), list[bool]()

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and '"jwks_at"' in sql:
            written.set()
        return done

    def slowly(_headers: Any) -> Answer:
        outcomes.append(written.wait(120))
        return answer(status=500)

    with Issuer(folder, keys=list(KEYS)) as slow:
        slow.says[slow.discovery_path] = slowly
        TrustPolicyFactory(issuer=IdTokenIssuerFactory(url=slow.url))
        with connection.execute_wrapper(note):
            assert key_refresh.refresh_due(now=clock.now()) == 1
    assert outcomes == [True]


def test_what_goes_wrong_in_ourselves_is_that_issuers_alone(
    row: IdTokenIssuer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ISSUER_NETWORKS = (None,)  # as no environment can
    refresh(row)
    assert row.problem == "Its answer cannot be used; the log says why."
    assert "the answer of the issuer" in caplog.text


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (answer("<html>"), "Its discovery document is not JSON."),
        (answer("[" * 100_000), "Its discovery document is not JSON."),
        (answer("[]"), "Its discovery document names another issuer."),
        (answer({"issuer": "https://other.example.com"}), "Its discovery document names another issuer."),
        (answer(b" " * (256 * 1024 + 1)), "The answer is longer than 262,144 bytes."),
    ],
)  # fmt: skip
def test_a_discovery_document_that_does_not_hold(
    issuer: Issuer, row: IdTokenIssuer, document: object, problem: str
) -> None:
    issuer.says[issuer.discovery_path] = document  # type: ignore[assignment]
    assert refresh(row).problem == problem
    assert keys.key_set(row) == ()


@pytest.mark.parametrize("change", [lambda url: url + "/", str.upper, lambda url: url.replace("127", "128")])
def test_the_issuer_must_be_named_exactly(issuer: Issuer, row: IdTokenIssuer, change: object) -> None:
    named = change(issuer.url)  # type: ignore[operator]
    issuer.says[issuer.discovery_path] = answer(issuer.discovery | {"issuer": named})
    assert refresh(row).problem == "Its discovery document names another issuer."
    assert issuer.asked == [issuer.discovery_path]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (None, "Its discovery document does not say where its keys are."),
        (["https://example.com"], "Its discovery document does not say where its keys are."),
        ("http://127.0.0.1/keys", "The URL must begin with https://."),
        ("https://10.0.0.5/keys", PRIVATE.replace("127.0.0.1", "10.0.0.5")),
        ("https://169.254.169.254/keys", f"The panel never connects to 169.254.169.254: {NEVER}."),
    ],
)  # fmt: skip
def test_where_keys_are_is_checked_like_the_issuer(
    issuer: Issuer, row: IdTokenIssuer, address: object, problem: str
) -> None:
    issuer.says[issuer.discovery_path] = answer(issuer.discovery | {"jwks_uri": address})
    assert refresh(row).problem == problem


def test_keys_may_stand_at_another_host(issuer: Issuer, row: IdTokenIssuer, folder: Path) -> None:
    with Issuer(folder, keys=[SigningKey.make("elsewhere", "ES256")]) as other:
        keys_url = f"{other.url}{other.jwks_path}"
        issuer.says[issuer.discovery_path] = answer(issuer.discovery | {"jwks_uri": keys_url})
        assert names(refresh(row)) == ["elsewhere"]
    assert issuer.asked == [issuer.discovery_path]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (answer("no"), "This is not JSON."),
        (answer({"keys": []}), "The key set is empty."),
        (answer(b" " * (256 * 1024 + 1)), "The answer is longer than 262,144 bytes."),
        (answer(status=404), "{url}/jwks answers 404."),
        (answer(status=302, Location="/elsewhere"), "{url}/jwks leads to another address, which is not followed."),
        (answer(status=204), "{url}/jwks answers 204."),
    ],
)  # fmt: skip
def test_keys_that_cannot_be_used_change_nothing(
    issuer: Issuer, row: IdTokenIssuer, said: object, problem: str
) -> None:
    refresh(row)
    issuer.says[issuer.jwks_path] = said  # type: ignore[assignment]
    make_due(row)
    assert refresh(row).problem == problem.format(url=issuer.url)
    assert names(row) == ["first"]
    assert "/elsewhere" not in issuer.asked


def test_private_networks_are_closed_until_an_operator_opens_them(
    issuer: Issuer, row: IdTokenIssuer, settings: Settings
) -> None:
    settings.ISSUER_NETWORKS = ()
    assert refresh(row).problem == PRIVATE
    assert not issuer.asked


def test_an_issuer_that_stalls_ends_with_its_time(
    issuer: Issuer, row: IdTokenIssuer, settings: Settings
) -> None:
    settings.ISSUER_ANSWER_SECONDS = 0.3
    issuer.says[issuer.jwks_path] = answer("x", stall=True)
    assert refresh(row).problem == "127.0.0.1 gave no complete answer within 0.3 seconds."


def test_pasted_keys_verify_though_others_were_fetched_before(issuer: Issuer, row: IdTokenIssuer) -> None:
    refresh(row)
    issuer.keys = [SigningKey.make("pasted", "ES256")]
    row.pasted_jwks = issuer.jwks
    row.save()
    assert names(row) == ["pasted"]
