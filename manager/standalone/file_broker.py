"""Celery's messages as files, written whole.

Kombu's own channel opens the message file first and fills it then; a worker that polls in between reads an
empty message and ends. Here a message appears under its name only when it is complete.
"""

import json
import secrets
import time
from pathlib import Path
from typing import Any

from kombu.transport import filesystem

PATIENCE = 0.5  # seconds to wait for a message before looking at anything else


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_options: Any) -> None:  # type: ignore[override]
        # The name sorts by time: messages are taken in that order.
        name = f"{time.time_ns() // 1_000_000}_{secrets.token_hex(8)}.{queue}.msg"
        folder = Path(self.data_folder_out)
        draft = folder / f".{name}.draft"
        try:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(payload))
            draft.rename(folder / name)
        except OSError:  # a full disk
            draft.unlink(missing_ok=True)
            raise


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> Any:
        """Celery's worker asks for 2 s, and hears a signal to stop only in between."""
        return super().drain_events(connection, timeout=min(timeout or PATIENCE, PATIENCE), **options)
