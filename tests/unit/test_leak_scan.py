"""Passwords in any text; and what docs/credentials.md tells scanners is true."""

import base64
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import credentials
from accounts.leak_scan import FOUND_MAX, TEXT_MAX, Candidate, find_candidates

DOCS = (Path(__file__).parents[2] / "docs" / "credentials.md").read_text()
PASSWORD = credentials.make(credentials.USER_PREFIX)
TOKEN = credentials.make(credentials.API_PREFIX)


def test_passwords_and_tokens_are_found_in_the_midst_of_text() -> None:
    text = f"-p {PASSWORD}\nAuthorization: Bearer {TOKEN}, again {PASSWORD}."
    assert find_candidates(text) == [Candidate(PASSWORD, True), Candidate(TOKEN, True)]
    assert [each.is_api_token for each in find_candidates(text)] == [False, True]


@pytest.mark.parametrize(
    "around", ["{}", "user:{}@host", "'{}'", "{}\\n", "{}éé", "PASSWORD={};", "{}abc", "{}_x"]
)
def test_what_stands_around_one_does_not_hide_it(around: str) -> None:
    assert find_candidates(around.format(PASSWORD)) == [Candidate(PASSWORD, True)]


OTHER_END = "a" if PASSWORD[-1] != "a" else "b"
WRONG = {
    "cut": PASSWORD[:-1],
    "cut in the midst": PASSWORD[:20],
    "another letter": PASSWORD[:-1] + OTHER_END,
    "another case": PASSWORD[:4] + PASSWORD[4:].swapcase(),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_one_that_is_cut_or_mistyped_is_told_of(text: str) -> None:
    assert find_candidates(f"x {text} y") == [Candidate(text, False)]


@pytest.mark.parametrize(
    "text", ["", "rmp_", "rmp_short", "xrmp_" + "a" * 38, "rml_" + "a" * 38, "RMP_" + "a" * 38]
)
def test_what_only_looks_alike_is_left_out(text: str) -> None:
    assert find_candidates(text) == []


def test_they_are_found_in_a_docker_config_and_in_a_kubernetes_secret() -> None:
    pair = base64.b64encode(f"wsbq5k5ysqyt:{PASSWORD}".encode()).decode()
    config = json.dumps({"auths": {"registry.example.com": {"auth": pair}}})
    secret = f"data:\n  .dockerconfigjson: {base64.b64encode(config.encode()).decode()}\n"
    for text in (config, secret, f"Authorization: Basic {pair}"):
        assert find_candidates(text) == [Candidate(PASSWORD, True)]


@pytest.mark.parametrize("length", range(60, 68))
def test_letters_that_are_no_base64_are_passed_over(length: int) -> None:
    assert find_candidates("A" * length) == []


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(not each.sound for each in find_candidates(text))


def test_it_is_bounded_and_the_sound_come_first() -> None:
    wrong = [f"rmp_{number:038}" for number in range(2 * FOUND_MAX)]
    found = find_candidates(" ".join([*wrong, PASSWORD]))
    assert len(found) == FOUND_MAX
    assert found[0] == Candidate(PASSWORD, True)
    assert find_candidates(" " * TEXT_MAX + PASSWORD) == []


def test_it_is_shown_by_its_last_characters() -> None:
    assert Candidate(PASSWORD, True).shown == f"rmp_…{PASSWORD[-4:]}"


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    return next(each for each in blocks if containing in each)


def test_the_check_in_the_docs_agrees_with_ours() -> None:
    names: dict[str, Any] = {}
    exec(block("python", "def is_one"), names)  # noqa: S102 (our own documentation)
    made = [credentials.make(prefix) for prefix in ("rmp", "rma") for _number in range(200)]
    assert all(names["is_one"](text) for text in made)
    cut = [text[:-1] for text in made] + [text[:10] + "x" + text[11:] for text in made if text[10] != "x"]
    assert not any(names["is_one"](text) for text in cut)


def scanner_patterns() -> list[str]:
    gitleaks = tomllib.loads(block("toml", "[[rules]]"))["rules"][0]["regex"]
    truffle = re.search(r"password: (\S+)", block("yaml", "detectors"))
    github = re.search(r"secret format `([^`]+)`", DOCS)
    assert truffle
    assert github
    return [gitleaks, truffle[1], github[1]]


@pytest.mark.parametrize("pattern", scanner_patterns())
def test_the_rules_for_scanners_find_what_we_make_and_nothing_shorter(pattern: str) -> None:
    for text in (PASSWORD, TOKEN):
        assert re.search(pattern, f'"password": "{text}",')
        assert not re.search(pattern, f'"password": "{text[:-1]}",')
    assert not re.search(pattern, "rml_" + "a" * 38)
