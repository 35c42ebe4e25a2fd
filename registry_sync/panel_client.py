"""The registry client as the panel uses it: the configured address, and tokens the panel makes for itself."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings

from registry_sync import heartbeats
from registry_sync.client import CATALOG, RegistryClient
from registry_sync.client.pacing import ReadPacer
from registry_sync.models import Marker
from registry_sync.tokens import access_list
from registry_sync.tokens.issuer import PANEL_TOKEN_SECONDS, issue_panel_token


def registry_client() -> RegistryClient:
    return RegistryClient(settings.REGISTRY_URL, PanelTokens(), pace=ReadPacer(_last_reported))


def _last_reported() -> float | None:
    """Return the moment of the last of our own requests that the registry reported."""
    at = heartbeats.last(Marker.READ)
    return at.timestamp() if at else None


class PanelTokens:
    """Tokens for one thing at a time, made again when half their life is over. Nothing is kept for long."""

    KEPT = 1000

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[tuple[str, ...], tuple[datetime, str]] = {}

    def __call__(self, scope: str, *actions: str) -> str:
        """`scope`: a repository, or CATALOG. Without actions: to pull."""
        with self._lock:
            # By the clock that is written into them: should it jump, they are made anew.
            now = self._clock()
            at, token = self._made.get((scope, *actions), (datetime.min.replace(tzinfo=UTC), ""))
            if not timedelta() <= now - at <= timedelta(seconds=PANEL_TOKEN_SECONDS / 2):
                if len(self._made) >= self.KEPT:
                    self._made.clear()
                token = issue_panel_token([_access(scope, actions or ("pull",))], now=now)
                self._made[scope, *actions] = (now, token)
            return token


def _access(scope: str, actions: tuple[str, ...]) -> access_list.ResourceActions:
    if scope == CATALOG:
        return access_list.CATALOG_ACCESS
    return access_list.ResourceActions(type="repository", name=scope, actions=list(actions))
