"""The cache in a real Redis: data and no code, and what cannot be read is as if it were not there."""

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache, caches
from django.test import Client, override_settings

from tests.cast import Cast
from tests.django.api.caller import Caller, token_of
from tests.parts import processes

pytestmark = pytest.mark.broker
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    """As production has its cache; a Redis that is slow is waited for, though."""
    config = {
        "BACKEND": "manager.cache.RedisOrMemoryCache",
        "LOCATION": [redis_url],
        "OPTIONS": {"socket_connect_timeout": processes.PATIENCE, "socket_timeout": processes.PATIENCE},
    }
    with redis.Redis.from_url(redis_url) as client, override_settings(CACHES={"default": config}):
        client.flushdb()
        yield client
        client.flushdb()
        caches["default"]._cache.get_client().connection_pool.disconnect()  # type: ignore[attr-defined]


def stored(server: redis.Redis) -> dict[str, Any]:
    """What stands in Redis, read as JSON."""
    names: Any = server.keys()
    return {name.decode(): json.loads(server.get(name)) for name in names}  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, True, 7, 1.5, "7", [1, (2, "x")], {"at": NOW, (1, 2): ()}, NOW])
def test_a_value_comes_back_as_what_it_was(server: redis.Redis, value: Any) -> None:
    cache.set("value", value)
    assert cache.get("value", "absent") == value
    assert type(cache.get("value")) is type(value)
    assert cache.get_many(["value", "other"]) == {"value": value}
    assert stored(server).keys() == {":1:value"}


def test_numbers_are_counted_by_redis(server: redis.Redis) -> None:
    assert cache.add("calls", 0, 60)
    assert not cache.add("calls", 0, 60)
    assert [cache.incr("calls") for _ in range(3)] == [1, 2, 3]
    assert cache.get("calls") == 3
    with pytest.raises(ValueError, match="not found"):
        cache.incr("others")


class Burglar:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("burgled"),)


@pytest.mark.parametrize(
    "data", [pickle.dumps(Burglar()), pickle.dumps([1.5]), b"nonsense", b'{"a": 1}', b""]
)
def test_what_cannot_be_read_is_absent(
    server: redis.Redis, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.set(":1:value", data)
    assert cache.get("value", "absent") == "absent"
    assert cache.get_many(["value"]) == {}
    with pytest.raises(ValueError, match="not found"):
        cache.incr("value")
    assert cache.add("value", 1)
    assert cache.incr("value") == 2
    assert not any(tmp_path.iterdir())


def test_calls_of_the_api_are_counted_in_it(server: redis.Redis, cast: Cast, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 3
    caller = Caller(token_of(cast.owner))
    # A minute may end in between, so one more than the bound is not always refused; twice as many are.
    assert 429 in [caller.get("me/").status_code for _ in range(8)]
    assert any(name.startswith(":1:api-calls-token-") for name in stored(server))


def test_wrong_passwords_are_counted_in_it(server: redis.Redis, cast: Cast) -> None:
    def attempt() -> str:
        answer = Client().post("/me/login/", {"login": cast.owner.email, "password": "wrong"})
        return str(answer.content.decode())

    pages = [attempt() for _ in range(6)]
    assert ["Too many failed login attempts" in page for page in pages] == [False] * 5 + [True]
    kept = [value for name, value in stored(server).items() if "allauth:rl:" in name]
    assert kept
    assert all(isinstance(moment, float) for history in kept for moment in history)
    for name in server.keys():  # type: ignore[union-attr]  # noqa: SIM118 (of Redis)
        server.set(name, pickle.dumps([1.5]))
    assert "Too many" not in attempt()  # and no 500
