"""Redis as the cache, and this process's memory while Redis does not answer: counts of attempts live in it."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, cast

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError, ResponseError

from accounts.common.circuit_breaker import Breaker
from manager.json_values import JsonSerializer, Unreadable

log = logging.getLogger(__name__)


class JsonClient(RedisCacheClient):
    """A value that cannot be read counts as absent: another version wrote it, or somebody else did."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        self._json = cast("Any", JsonSerializer())  # the stubs know only of bytes
        super().__init__(servers, serializer=self._json, **options)

    def get(self, key: Any, default: Any) -> Any:
        return self.get_many([key]).get(key, default)

    def get_many(self, keys: Iterable[Any]) -> dict[Any, Any]:
        found, names = {}, list(keys)
        for key, data in zip(names, self.get_client(None).mget(names), strict=True):
            with suppress(Unreadable):
                if data is not None:
                    found[key] = self._json.loads(data)
        return found

    def incr(self, key: Any, delta: int) -> Any:
        try:
            return super().incr(key, delta)
        except ResponseError:  # no number
            self.delete(key)
            raise ValueError(f"Key '{key}' not found.") from None


class RedisOrMemoryCache(RedisCache):
    """`breaker`: of all threads: a sign-in counts ten times, and would wait ten times.

    Attempts counted in memory count for less than they should; a log-in that fails for want of Redis is worse.
    """

    breaker = Breaker(rest=5)

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = LocMemCache("without-redis", {"OPTIONS": {"MAX_ENTRIES": settings.CACHE_ENTRIES}})
        self._class = JsonClient


def _either(name: str) -> Callable[..., Any]:
    def method(self: RedisOrMemoryCache, *arguments: Any, **options: Any) -> Any:
        if self.breaker.may_ask:
            try:
                return getattr(super(RedisOrMemoryCache, self), name)(*arguments, **options)
            except (RedisError, OSError) as error:
                self.breaker.failed()
                log.warning(
                    "Redis does not answer (%s); this process counts for itself", type(error).__name__
                )
        return getattr(self._memory, name)(*arguments, **options)

    return method


for _name in (
    "add",
    "get",
    "set",
    "touch",
    "delete",
    "get_many",
    "has_key",
    "incr",
    "set_many",
    "delete_many",
):
    setattr(RedisOrMemoryCache, _name, _either(_name))
