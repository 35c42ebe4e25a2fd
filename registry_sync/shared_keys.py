"""Whether all machines have the same keys: each worker notes a digest of those that it has."""

import socket
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from registry_sync import heartbeats
from registry_sync.models import Marker

PREFIX = "keys:"
SEEN = timedelta(minutes=3)  # a worker gets a pulse every few seconds, but not each
_EVERY = timedelta(seconds=30)
_DIGITS, _NAME_MAX = 12, 20


def note(now: datetime, *, machine: str = "") -> None:
    """Note what this machine has, or one of that name. Nothing of a key can be learned from a digest of all."""
    try:
        digest = _digest(Path(settings.SECRETS_DIR))
    except OSError:  # whoever needs the key says which, and why
        return
    name = machine or socket.gethostname()
    heartbeats.note(f"{PREFIX}{digest}:{name[:_NAME_MAX]}", now, every=_EVERY)


def by_machine(now: datetime) -> dict[str, str]:
    """Return what each machine had last, of those that noted it lately: name → digest."""
    rows = Marker.objects.filter(name__startswith=PREFIX, at__gte=now - SEEN).order_by("at")
    parts = [name.split(":", 2) for name in rows.values_list("name", flat=True)]
    return {machine: digest for _prefix, digest, machine in parts}


def forget(before: datetime) -> None:
    Marker.objects.filter(name__startswith=PREFIX, at__lt=before).delete()


def _digest(folder: Path) -> str:
    """Of every key; leaf.pem is none, and may be each machine's own."""
    found = sha256()
    for path in sorted(folder.glob("*.key")):
        found.update(sha256(path.name.encode()).digest() + sha256(path.read_bytes()).digest())
    return found.hexdigest()[:_DIGITS]
