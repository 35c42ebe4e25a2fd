"""GET /metrics: with the key, and for nobody else; absent where there is no key."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from accounts.common import secret_files
from manager.metrics.gauge import Gauge, one
from manager.server.metrics_door import Door
from registry_sync.tokens import ca

KEY = "k" * 40
RIGHT = f"Bearer {KEY}"


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, settings: Any) -> Path:
    settings.METRICS_KEY_FILE = tmp_path / "metrics.key"
    secret_files.create(settings.METRICS_KEY_FILE, KEY.encode() + b"\n")
    return tmp_path / "metrics.key"


def collect() -> list[Gauge]:
    return [one("registry_manager_namespaces", "Namespaces.", 7)]


def started(collect: Callable[[], list[Gauge]] = collect, measure: Callable[[], None] = lambda: None) -> Door:
    door = Door(collect, measure)
    door.start()
    return door


def ask(
    door: Door, authorization: str = RIGHT, *, path: str = "/metrics", method: str = "GET"
) -> tuple[int, dict[bytes, bytes], str]:
    """Return status, headers and body; the status is 0 where the door leaves the request to others."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_AUTHORIZATION": authorization}
    if not asyncio.run(door.answer(environ, send)):
        assert not messages
        return 0, {}, ""
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"].decode()


def samples(text: str) -> dict[str, float]:
    families = text_string_to_metric_families(text)
    return {f"{each.name}{[*each.labels.values()]}": each.value for one in families for each in one.samples}


def test_the_key_opens_it() -> None:
    status, headers, body = ask(started())
    assert status == 200
    assert headers[b"content-type"].startswith(b"text/plain")
    assert headers[b"cache-control"] == b"no-store"
    found = samples(body)
    assert found["registry_manager_namespaces[]"] == 7
    assert found["registry_manager_database_up[]"] == 1
    assert "registry_manager_denials_total['push']" in found


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {KEY}k",
        f"Bearer {KEY[:-1]}",
        f"Basic {KEY}",
        KEY,
        "Bearer é",
        f"Bearer {KEY} x",
    ],
)
def test_only_the_key_opens_it(authorization: str) -> None:
    status, headers, body = ask(started(), authorization)
    assert status == 401
    assert headers[b"www-authenticate"].startswith(b"Bearer")
    assert body == ""


@pytest.mark.parametrize("authorization", [f"bearer {KEY}", f"BEARER {KEY}", f"Bearer  {KEY} "])
def test_the_scheme_is_read_as_others_read_it(authorization: str) -> None:
    assert ask(started(), authorization)[0] == 200


def test_head_is_answered_as_get_is() -> None:
    door = started()
    assert ask(door, method="HEAD")[0] == 200
    assert ask(door, "Bearer wrong", method="HEAD")[0] == 401


def test_without_a_key_there_is_no_such_page(key_file: Path) -> None:
    measured: list[str] = []
    started(measure=lambda: measured.append("with a key"))
    key_file.unlink()
    door = started(measure=lambda: measured.append("without"))
    assert ask(door)[0] == 0
    assert measured == ["with a key"]  # and without nothing is counted on the way to a token


def test_nor_when_the_key_is_taken_away(key_file: Path) -> None:
    door = started()
    key_file.unlink()
    assert ask(door)[0] == 0


@pytest.mark.django_db
def test_what_the_door_leaves_is_absent_for_everybody(client: Client) -> None:
    assert client.get("/metrics", headers={"authorization": RIGHT}).status_code == 404


@pytest.mark.parametrize(
    ("path", "method"), [("/metrics/", "GET"), ("/metrics", "POST"), ("/", "GET"), ("//metrics", "GET")]
)
def test_everything_else_goes_on(path: str, method: str) -> None:
    assert ask(started(), path=path, method=method)[0] == 0


def test_another_key_counts_at_once(key_file: Path) -> None:
    door = started()
    secret_files.replace(key_file, b"n" * 40)
    assert ask(door)[0] == 401
    assert ask(door, "Bearer " + "n" * 40)[0] == 200


@pytest.mark.parametrize("how", ["open to others", "too short"])
def test_a_key_that_cannot_be_used_lets_nobody_in(
    key_file: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    door = started()
    if how == "too short":
        secret_files.replace(key_file, b"short")
    else:
        key_file.chmod(0o644)
    status, _headers, body = ask(door, "Bearer short" if how == "too short" else RIGHT)
    assert status == 503
    assert str(key_file) not in body
    assert str(key_file) in caplog.text


def test_without_a_database_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> list[Gauge]:
        raise OperationalError("connection refused")

    found = samples(ask(started(fail))[2])
    assert found["registry_manager_database_up[]"] == 0
    problems = {name: value for name, value in found.items() if name.startswith("registry_manager_problem")}
    assert problems == {"registry_manager_problem['database']": 1}  # of the others nobody knows
    assert found["registry_manager_leaf_certificate_expires_timestamp_seconds[]"] > 0
    assert "registry_manager_token_seconds_count['granted']" in found
    assert "registry_manager_namespaces[]" not in found
    assert "connection refused" in caplog.text


def test_the_end_of_the_certificate(settings: Any, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    settings.SECRETS_DIR = tmp_path
    name = "registry_manager_leaf_certificate_expires_timestamp_seconds[]"
    assert name not in samples(ask(started())[2])
    ca.ensure_keys(tmp_path, now)
    assert samples(ask(started())[2])[name] == (now + ca.LEAF_LIFE).timestamp()
