"""How often one token, or one person in the panel, may call: so often that only what ran wild is stopped."""

from time import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import ngettext
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.common.errors import RateLimited

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this while it is loading

MINUTE = 60


class CallThrottle(BaseThrottle):
    """Counted in the cache by whole minutes. Asked after the permission, so whoever comes here is known."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        caller = f"token-{request.auth.pk}" if request.auth else f"person-{request.user.pk}"
        minute, spent = divmod(int(time()), MINUTE)
        if (
            settings.API_CALLS_PER_MINUTE
            and _count(f"api-calls-{caller}-{minute}") > settings.API_CALLS_PER_MINUTE
        ):
            most = settings.API_CALLS_PER_MINUTE
            words = ngettext("At most %(most)s call a minute.", "At most %(most)s calls a minute.", most)
            raise RateLimited(words % {"most": most}, wait=MINUTE - spent)
        return True


def _count(key: str) -> int:
    cache.add(key, 0, MINUTE)
    try:
        return cache.incr(key)
    except ValueError:  # thrown out of a full cache meanwhile
        return 0
