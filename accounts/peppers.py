"""Reads the peppers, `pepper-<version>.key` in the secrets folder: the highest digests, all verify."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.common import secret_files
from accounts.credentials import Pepper

RESTARTED_WITHIN = 3600  # seconds in which whoever makes a pepper restarts every process
_NAME = re.compile(r"pepper-(\d+)\.key")


@cache
def peppers() -> tuple[Pepper, ...]:
    """Newest first; read once per process."""
    found = [_read(path, int(match[1])) for path in _files() if (match := _NAME.fullmatch(path.name))]
    if not found:
        raise ImproperlyConfigured(f"No pepper-1.key in {settings.SECRETS_DIR}; run: manage.py init_data_dir")
    return tuple(sorted(found, key=lambda pepper: -pepper.version))


def newest_is_everywhere(now: datetime) -> bool:
    """Return False while a process may still run that was started before the newest pepper was made."""
    try:
        made = (Path(settings.SECRETS_DIR) / f"pepper-{peppers()[0].version}.key").stat().st_mtime
    except OSError:
        return False
    return now.timestamp() - made > RESTARTED_WITHIN


def _files() -> list[Path]:
    folder = Path(settings.SECRETS_DIR)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _read(path: Path, version: int) -> Pepper:
    try:
        return Pepper(version, secret_files.read_key(path))
    except secret_files.SecretFileError as error:
        raise ImproperlyConfigured(str(error)) from error
