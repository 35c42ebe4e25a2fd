"""Calls are counted by token, or by person in the panel; past the bound they are told when to come again."""

from typing import Any

import pytest

from tests.cast import Cast
from tests.django.api.caller import Caller, error_of, token_of

BEGINNING = 60_000_000.0  # of a minute


@pytest.fixture(autouse=True)
def _few(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 3


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [BEGINNING]
    monkeypatch.setattr("accounts.api.throttling.time", lambda: now[-1])
    return now


def test_one_call_too_many_is_told_when_to_come_again(cast: Cast, now: list[float]) -> None:
    caller = Caller(token_of(cast.owner))
    assert [caller.get("me/").status_code for _ in range(3)] == [200] * 3
    now.append(BEGINNING + 20)
    answer = caller.get("me/")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "40"
    assert error_of(answer)["code"] == "too_many_requests"
    assert caller.post("accounts/", {"name": "Blue"}).status_code == 429
    assert not cast.owner.memberships.filter(account__name="Blue").exists()
    now.append(BEGINNING + 60)
    assert caller.get("me/").status_code == 200


def test_of_one_call_it_speaks_in_the_singular(cast: Cast, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 1
    caller = Caller(token_of(cast.owner))
    caller.get("me/")
    assert "At most 1 call a minute." in str(error_of(caller.get("me/")))


def test_one_token_does_not_use_up_what_another_may(cast: Cast) -> None:
    wild, calm, browser = Caller(token_of(cast.owner)), Caller(token_of(cast.owner)), cast.client("owner")
    assert [wild.get("me/").status_code for _ in range(4)][-1] == 429
    assert calm.get("me/").status_code == 200
    assert browser.get("/api/v1/me/").status_code == 200
    assert browser.get("/a/team-red/images/").status_code == 200


def test_a_person_in_the_panel_is_counted_too_and_so_is_the_schema(cast: Cast) -> None:
    for _ in range(3):
        assert cast.client("owner").get("/api/v1/schema/").status_code == 200
    assert cast.client("owner").get("/api/v1/schema/").status_code == 429
    assert cast.client("stranger").get("/api/v1/schema/").status_code == 200


def test_who_is_not_let_in_uses_up_nobodys_calls(cast: Cast) -> None:
    caller = Caller(token_of(cast.owner))
    for header in ("", "Bearer wrong"):
        for _ in range(5):
            assert Caller().get("me/").status_code == 401
            assert (
                cast.client("anonymous").get("/api/v1/me/", headers={"Authorization": header}).status_code
                == 401
            )
    assert caller.get("me/").status_code == 200


def test_without_a_bound_nothing_is_counted(cast: Cast, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 0
    caller = Caller(token_of(cast.owner))
    assert {caller.get("me/").status_code for _ in range(9)} == {200}


def test_a_cache_that_forgets_refuses_nobody(cast: Cast, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert Caller(token_of(cast.owner)).get("me/").status_code == 200
