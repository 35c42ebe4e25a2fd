"""What a test of a password says of each answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry_sync.doctor import credential_steps as judge
from registry_sync.doctor.credential_steps import Step
from registry_sync.doctor.observations import Answer

REALM = "https://panel.example.com/auth/token"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def challenged(**more: Any) -> Answer:
    return Answer(401, challenge=f'Bearer realm="{REALM}",service="registry"', **more)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (challenged(), ""),
        (Answer(error=judge.DNS), "is not known here"),
        (Answer(error="SSLError"), "certificate of registry is not trusted"),
        (Answer(error="ConnectTimeout"), "did not respond in time"),
        (Answer(error="ReadTimeout"), "did not respond in time"),
        (Answer(error="ConnectionError"), "cannot be reached from here: ConnectionError"),
        (Answer(301, location="https://elsewhere/v2/"), "redirects to https://elsewhere/v2/"),
        (Answer(200), "asks for no token"),
        (Answer(404), "a proxy or another server"),
        (Answer(502), "returns 502 instead of 401"),
        (Answer(401, challenge="Basic realm=x"), "no Bearer challenge"),
    ],
)
def test_the_first_answer(answer: Answer, words: str) -> None:
    said(judge.challenge(answer, "registry"), words)


def said(problem: str, words: str) -> None:
    assert words in problem
    assert bool(words) == bool(problem)


def test_another_realm_gets_no_password() -> None:
    assert judge.realm(challenged(), REALM) == ""
    problem = judge.realm(challenged(), "https://other/auth/token")
    assert REALM in problem
    assert "was not sent there" in problem


@pytest.mark.parametrize(
    ("answer", "has_token", "words"),
    [
        (Answer(200), True, ""),
        (Answer(200), False, "returns 200 and no token"),
        (Answer(error="SSLError"), False, "certificate"),
        (Answer(302, location="/x"), False, "Clients send no password there"),
        (Answer(401), False, "refuses this username and password"),
        (Answer(404), False, "does not pass the token address on"),
        (Answer(429), False, "Too many wrong passwords"),
        (Answer(503), False, "cannot issue tokens now"),
        (Answer(500), False, "returns 500 and no token"),
    ],
)
def test_the_login(answer: Answer, has_token: bool, words: str) -> None:
    said(judge.login(answer, "panel", has_token=has_token), words)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200), ""),
        (Answer(error="ReadTimeout"), "did not respond in time"),
        (Answer(500), "returns 500 to a valid token"),
        (challenged(), "does not trust the panel’s tokens"),
        (challenged(date=NOW, asked_at=NOW + timedelta(seconds=59)), "does not trust"),
        (challenged(date=NOW, asked_at=NOW + timedelta(seconds=95)), "are 95 s apart"),
        (challenged(date=NOW, asked_at=NOW - timedelta(seconds=95)), "are 95 s apart"),
    ],
)
def test_the_token(answer: Answer, words: str) -> None:
    said(judge.acceptance(answer, "registry"), words)


@pytest.mark.parametrize(
    ("answer", "granted", "words"),
    [
        (Answer(200), ["pull", "push"], ""),
        (Answer(404), ["pull", "push"], ""),  # nothing was pushed yet
        (Answer(200), ["pull"], "does not allow push"),
        (Answer(401), ["pull", "push"], "does not trust"),
        (Answer(403), ["pull", "push"], "returns 403 to a valid token"),
        (Answer(500), ["pull", "push"], "returns 500"),
        (Answer(error="ReadTimeout"), ["pull", "push"], "did not respond in time"),
    ],
)
def test_a_permission(answer: Answer, granted: list[str], words: str) -> None:
    said(judge.repository(answer, "registry", wanted=["pull", "push"], granted=granted), words)


def test_a_step_without_a_problem_is_good() -> None:
    assert Step("t", "r", "200", 0.1).good
    assert not Step("t", "r", "404", 0.1, "wrong").good
