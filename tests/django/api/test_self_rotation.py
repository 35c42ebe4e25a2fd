"""POST /api/v1/self/rotate/: a user rotates its own password."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import credentials
from accounts.access_denials import denials
from accounts.common.password_throttle import FAILURES
from accounts.models import Account, AuditEvent, OutgoingMail, RegistryUser, Secret
from accounts.peppers import peppers
from accounts.services import passwords
from registry_sync.tokens.throttle import throttle
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import error_of
from tests.django.api.world import caller_of

URL = "/api/v1/self/rotate/"


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    throttle._failures.clear()
    denials.forget()


@pytest.fixture
def user(cast: Cast) -> Any:
    Account.objects.filter(pk=cast.account.pk).update(self_rotation=True)
    cast.account.refresh_from_db()
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


def rotate(username: str, password: str) -> HttpResponse:
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Client().generic("POST", URL, headers={"Authorization": f"Basic {pair}"})


def test_it_gets_a_second_one_and_the_first_goes_on(cast: Cast, user: Any) -> None:
    answer = rotate(user.username, user.password)
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["username"] == user.username
    assert body["expires_at"] is None
    live = passwords.live(user)
    assert live[0].digest in credentials.digests(body["password"], peppers())
    assert live[1].digest in credentials.digests(user.password, peppers())
    told = AuditEvent.objects.get(action="user.password_rotated")
    assert (told.actor_kind, told.actor) == ("user", f"CI deploy ({user.username})")
    assert told.after == {"password": f"…{body['password'][-4:]}"}


def test_a_third_is_refused(user: Any) -> None:
    second = rotate(user.username, user.password).json()["password"]
    for password in (user.password, second):
        answer = rotate(user.username, password)
        assert answer.status_code == 409
        assert error_of(answer)["code"] == "conflict"
    assert Secret.objects.count() == 2


def test_it_is_off_until_an_owner_allows_it(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    answer = rotate(user.username, user.password)
    assert answer.status_code == 403
    assert "An owner can allow it" in error_of(answer)["message"]
    assert Secret.objects.count() == 1
    rules = "accounts/team-red/password-rules/"
    for who in ("manager", "viewer"):
        assert caller_of(cast, who).patch(rules, {"self_rotation": True}).status_code == 403
    assert caller_of(cast, "owner").patch(rules, {"self_rotation": True}).json() == {
        "longest_life_days": None,
        "self_rotation": True,
    }
    assert AuditEvent.objects.get(action="account.password_rules").after["self_rotation"] is True
    assert rotate(user.username, user.password).status_code == 201


def test_the_new_one_ends_with_the_one_that_was_given(user: Any) -> None:
    ends = timezone.now() + timedelta(days=3)
    Secret.objects.filter(user=user).update(expires_at=ends)
    rotate(user.username, user.password)
    assert [each.expires_at for each in passwords.live(user)] == [ends, ends]


def test_what_retires_on_a_date_cannot_outlive_it(user: Any) -> None:
    """The newer one has ended before it; then the older one alone may rotate."""
    retires = timezone.now() + timedelta(days=3)
    Secret.objects.filter(user=user).update(retires_at=retires)
    factories.add_password(user)
    Secret.objects.filter(retires_at=None).update(expires_at=timezone.now())
    assert rotate(user.username, user.password).status_code == 201
    assert [each.expires_at for each in passwords.live(user)] == [retires, None]


def test_what_ends_unused_hands_on_no_end(user: Any) -> None:
    Secret.objects.filter(user=user).update(
        retires_at=timezone.now() + timedelta(days=3), retire_after_unused_days=3
    )
    rotate(user.username, user.password)
    assert [each.expires_at for each in passwords.live(user)] == [None, None]


def test_the_accounts_longest_life_holds_too(cast: Cast, user: Any) -> None:
    Account.objects.filter(pk=cast.account.pk).update(longest_life_days=7)
    rotate(user.username, user.password)
    newest, oldest = passwords.live(user)
    assert newest.expires_at
    assert timedelta(days=6) < newest.expires_at - timezone.now() <= timedelta(days=8)
    assert oldest.expires_at is None


@pytest.mark.parametrize(
    "what", ["wrong", "ended", "disabled", "expired", "closed", "malformed", "none", "bearer"]
)
def test_who_could_not_log_in_rotates_nothing(cast: Cast, user: Any, what: str) -> None:
    password, before = user.password, timezone.now()
    match what:
        case "wrong":
            password = credentials.make(credentials.USER_PREFIX)
        case "ended":
            passwords.replace(by=cast.by("owner"), user=user)
        case "disabled":
            RegistryUser.objects.update(disabled_at=before)
        case "expired":
            RegistryUser.objects.update(expires_at=before)
        case "closed":
            Account.objects.filter(pk=cast.account.pk).update(closed_at=before)
    count = Secret.objects.count()
    if what in ("malformed", "none", "bearer"):
        header = {"malformed": "Basic !", "none": "", "bearer": f"Bearer {user.password}"}[what]
        answer = Client().generic("POST", URL, headers={"Authorization": header} if header else {})
    else:
        answer = rotate(user.username, password)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic ")
    assert error_of(answer)["code"] == "unauthenticated"
    assert Secret.objects.count() == count


def test_no_person_rotates_here(cast: Cast, user: Any) -> None:
    assert caller_of(cast, "owner").post("self/rotate/").status_code == 401
    assert cast.client("owner").post(URL).status_code == 401
    assert Secret.objects.count() == 1


def test_guessing_is_slowed_and_the_right_one_is_not(user: Any) -> None:
    for _each in range(FAILURES):
        assert rotate(user.username, "hunter2").status_code == 401
    answer = rotate(user.username, "hunter2")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert rotate(user.username, user.password).status_code == 201


def test_owners_and_managers_are_told_in_their_language(
    cast: Cast, user: Any, settings: Any, mailoutbox: Any
) -> None:
    type(cast.manager).objects.filter(pk=cast.manager.pk).update(language="fr")
    body = rotate(user.username, user.password).json()
    assert {each.to[0] for each in mailoutbox} == {"owner@example.com", "manager@example.com"}
    texts = {each.to[0]: each.subject + each.body for each in mailoutbox}
    assert "CI deploy rotated its own password" in texts["owner@example.com"]
    assert "a renouvelé son propre mot de passe" in texts["manager@example.com"]
    for text in texts.values():
        assert body["password"] not in text
        assert user.get_absolute_url() in text


def test_the_mail_waits_in_the_outbox_with_the_password(user: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "accounts.outbox.OutboxBackend"
    rotate(user.username, user.password)
    assert OutgoingMail.objects.count() == 2
    rotate(user.username, user.password)
    assert OutgoingMail.objects.count() == 2


def test_other_methods_are_not_allowed(user: Any) -> None:
    pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    assert Client().get(URL, headers={"Authorization": f"Basic {pair}"}).status_code == 405
