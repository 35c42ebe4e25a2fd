"""GET and HEAD /metrics, before Django, at the servers of pages and of tokens. Without a key there is no such page."""

import hmac
import logging
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from django.conf import settings

from accounts.common import secret_files
from accounts.common.secret_files import SecretFileError
from manager.metrics import gauges, health_gauges, machine_gauges
from manager.metrics.collector import Collector
from manager.metrics.gauge import Gauge, one
from manager.metrics.snapshots import Snapshots, folder
from manager.server.environ import Environ
from manager.server.front import respond, say
from manager.server.threads import Send
from registry_sync.tokens.wsgi import measure_tokens

PATH = "/metrics"
_METHODS = frozenset({"GET", "HEAD"})  # the server sends no body to a HEAD

log = logging.getLogger(__name__)


class Door:
    """Of one process. `start` it in the process that answers, and not in one that forks it."""

    def __init__(
        self,
        collect: Callable[[], list[Gauge]] = gauges.collect,
        measure: Callable[[], None] = measure_tokens,
    ) -> None:
        self._measure = measure
        self._snapshots: Snapshots | None = None
        self._collector = Collector(collect)
        self._started = False

    def start(self) -> None:
        """Once per process: where there is a key, begin to count tokens and to write the counts down."""
        if self._started:
            return
        self._started = True
        if key_file().exists():
            self._snapshots = Snapshots(folder())
            self._snapshots.start()
            self._measure()

    async def answer(self, environ: Environ, send: Send) -> bool:
        """Answer a scrape. Return False for everything else, which is a scrape where metrics are off, too."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] not in _METHODS or not self._snapshots:
            return False
        if not key_file().exists():  # it was taken away meanwhile
            return False
        try:
            key = secret_files.read_key(key_file())
        except SecretFileError as error:
            log.error("no metrics: %s", error)  # noqa: TRY400 (the sentence says it)
            await say(send, HTTPStatus.SERVICE_UNAVAILABLE, "The key cannot be used; the log says why.")
            return True
        if not _is_right(str(environ.get("HTTP_AUTHORIZATION", "")), key):
            headers = [(b"www-authenticate", b'Bearer realm="metrics"'), (b"cache-control", b"no-store")]
            await respond(send, HTTPStatus.UNAUTHORIZED, headers, b"")
            return True
        await self._show(self._snapshots, send)
        return True

    async def _show(self, snapshots: Snapshots, send: Send) -> None:
        from manager.metrics import exposition  # noqa: PLC0415 (the library is loaded where it is used)

        found = await self._collector.gauges()
        shown = [*machine_gauges.of_this_machine(), *(found or [health_gauges.no_database()])]
        shown.append(
            one("registry_manager_database_up", "1 if the database answered.", float(found is not None))
        )
        headers = [
            (b"content-type", exposition.CONTENT_TYPE.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]
        await respond(send, HTTPStatus.OK, headers, exposition.write(snapshots.totals(), shown))


def key_file() -> Path:
    return Path(settings.METRICS_KEY_FILE)


def _is_right(authorization: str, key: bytes) -> bool:
    kind, _space, given = authorization.partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(errors="replace"), key)


door = Door()
