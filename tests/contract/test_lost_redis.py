"""A Redis that stops, or refuses, costs nobody a page: counts are kept in memory until it is back."""

from pathlib import Path

import pytest
import redis as client

from manager.cache import RedisOrMemoryCache
from tests.parts import fixtures, redis

pytestmark = pytest.mark.broker


@pytest.fixture
def server(tmp_path: Path) -> redis.RunningRedis:
    fixtures.need("redis")
    return redis.start(tmp_path)


def cache_over(url: str) -> RedisOrMemoryCache:
    return RedisOrMemoryCache(url, {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}})


def test_counts_while_redis_is_stopped_and_uses_it_again(server: redis.RunningRedis) -> None:
    cache = cache_over(server.url)
    try:
        cache.set("attempts", 1)
        assert client.Redis.from_url(server.url).dbsize() == 1
        server.stop()
        assert cache.add("attempts", 1)
        assert cache.incr("attempts") == 2
        assert cache.get("attempts") == 2
        server.restart()
        cache.set("attempts", 7)
        assert client.Redis.from_url(server.url).dbsize() == 1
    finally:
        server.stop()


def test_goes_on_while_redis_refuses(server: redis.RunningRedis) -> None:
    cache = cache_over(server.url)
    try:
        client.Redis.from_url(server.url).config_set("maxmemory", 1)
        assert cache.add("others", 1)
        assert cache.get("others") in (None, 1)
    finally:
        server.stop()
