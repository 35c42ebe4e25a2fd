"""Redis as the cache, and this process's memory while Redis does not answer: counts of attempts live in it."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from accounts.breaker import Breaker

log = logging.getLogger(__name__)
redis = Breaker(rest=5)  # of all threads: a sign-in counts ten times, and would wait ten times


class RedisOrMemoryCache(RedisCache):
    """Attempts counted in memory count for less than they should; a log-in that fails for want of Redis is worse."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = LocMemCache("without-redis", {"OPTIONS": {"MAX_ENTRIES": settings.CACHE_ENTRIES}})


def _either(name: str) -> Callable[..., Any]:
    def method(self: RedisOrMemoryCache, *arguments: Any, **options: Any) -> Any:
        if redis.may_ask:
            try:
                return getattr(super(RedisOrMemoryCache, self), name)(*arguments, **options)
            except (RedisError, OSError) as error:
                redis.failed()
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
