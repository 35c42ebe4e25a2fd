"""Job texts: each asks for our audience, signs in as the user, and holds no secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.client_commands import Example, Registry
from accounts.id_tokens.job_texts import Login, exchange_text, job_text
from accounts.id_tokens.presets import PRESETS

AUDIENCE = "https://panel.example.com"


def login(repository: str = "team/api") -> Login:
    return Login(
        Registry("registry.example.com"), "wsbq5k5ysqyt", AUDIENCE, Example(repository, may_push=True)
    )


def whole(preset: str, repository: str = "team/api") -> str:
    return "\n".join(f"{text}\n{command}" for text, command in job_text(preset, login(repository)))


@pytest.mark.parametrize("preset", PRESETS)
def test_it_names_audience_user_and_image(preset: str) -> None:
    text = whole(preset)
    assert AUDIENCE in text
    assert "login registry.example.com -u wsbq5k5ysqyt --password-stdin" in text
    assert "registry.example.com/team/api" in text
    assert " -p " not in text


@pytest.mark.parametrize("preset", PRESETS)
def test_the_login_stands_between_build_and_push(preset: str) -> None:
    text = whole(preset)
    pushes = "skopeo copy" if preset == "kubernetes" else "docker push"
    assert text.index("--password-stdin") < text.index(pushes)
    if "docker build" in text:
        assert text.index("docker build") < text.index("--password-stdin")


def test_github_needs_its_permission() -> None:
    assert "id-token: write" in whole("github")


def test_a_user_without_permissions_gets_a_name_to_fill_in() -> None:
    assert "registry.example.com/NAMESPACE/IMAGE" in whole("gitlab", "")


@given(st.text())
def test_an_unknown_preset_is_any_issuer(preset: str) -> None:
    assert job_text(preset, login()) == job_text(preset if preset in PRESETS else "other", login())


def test_the_exchange_names_user_and_kind_of_token() -> None:
    ((_text, command),) = exchange_text(login(), AUDIENCE)
    assert f"{AUDIENCE}/auth/exchange" in command
    assert "-d username=wsbq5k5ysqyt" in command
    assert "urn:ietf:params:oauth:token-type:id_token" in command
