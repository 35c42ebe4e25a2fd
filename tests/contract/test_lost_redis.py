"""A Redis that stops, refuses or hangs costs nobody a page: counts are kept in memory until it is back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis as client

from accounts.common.circuit_breaker import Breaker
from manager.cache import RedisOrMemoryCache
from tests.parts import fixtures, processes, redis

pytestmark = pytest.mark.broker


@pytest.fixture
def server(tmp_path: Path) -> Iterator[redis.RunningRedis]:
    fixtures.need("redis")
    running = redis.start(tmp_path)
    yield running
    running.process.popen.send_signal(signal.SIGCONT)
    running.stop()


@pytest.fixture
def clock() -> list[float]:
    """The breaker's: it stands still."""
    return [0.0]


@contextmanager
def caching(
    server: redis.RunningRedis, clock: list[float], *, seconds: float
) -> Iterator[RedisOrMemoryCache]:
    """`seconds`: how long it waits for an answer."""

    class Cache(RedisOrMemoryCache):
        breaker = Breaker(rest=5, clock=lambda: clock[0])

    made = Cache(server.url, {"OPTIONS": {"socket_connect_timeout": seconds, "socket_timeout": seconds}})
    yield made
    made._cache.get_client().connection_pool.disconnect()


@pytest.fixture
def cache(server: redis.RunningRedis, clock: list[float]) -> Iterator[RedisOrMemoryCache]:
    with caching(server, clock, seconds=processes.PATIENCE) as made:
        yield made


def size(server: redis.RunningRedis) -> int:
    with client.Redis.from_url(server.url) as asked:
        return int(asked.dbsize())  # type: ignore[arg-type]


def test_counts_while_redis_is_stopped_and_uses_it_again(
    server: redis.RunningRedis, cache: RedisOrMemoryCache, clock: list[float]
) -> None:
    cache.set("attempts", 1)
    assert size(server) == 1
    server.stop()
    assert cache.add("attempts", 1)
    assert cache.incr("attempts") == 2
    assert cache.get("attempts") == 2
    server.restart()
    clock[0] = 5.0
    cache.set("attempts", 7)
    assert size(server) == 1


def test_goes_on_while_redis_refuses(server: redis.RunningRedis, cache: RedisOrMemoryCache) -> None:
    with client.Redis.from_url(server.url) as asked:
        asked.config_set("maxmemory", 1)
    assert cache.add("others", 1)
    assert cache.get("others") in (None, 1)


def test_a_redis_that_hangs_is_waited_for_once(
    server: redis.RunningRedis, cache: RedisOrMemoryCache, clock: list[float]
) -> None:
    """A sign-in asks it ten times, each with a second's patience."""
    cache.set("before", 1)
    with caching(server, clock, seconds=1) as hasty:

        def is_back() -> bool:
            clock[0] += 5.0
            return bool(hasty.get("before") == 1)

        server.process.popen.send_signal(signal.SIGSTOP)
        assert hasty.add("guesses", 1)
        assert [hasty.incr("guesses") for _time in range(8)] == list(range(2, 10))
        server.process.popen.send_signal(signal.SIGCONT)
        server.process.wait_until(is_back, "answer")
    with client.Redis.from_url(server.url) as asked:
        assert "cmdstat_incrby" not in asked.info("commandstats")
