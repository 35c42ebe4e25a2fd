"""The one-time link that makes the first operator; only its digest is on disk, in the secrets folder."""

import os
from pathlib import Path

from django.conf import settings

from accounts.services import people


def make() -> str | None:
    """A fresh link's path, "/first/<secret>/"; None when an operator exists already."""
    if people.operator_exists():
        _file().unlink(missing_ok=True)
        return None
    text, digest = people.make_operator_link()
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(digest)
    return f"/first/{text}/"


def kept() -> str:
    """The digest of the link in force, "" when there is none."""
    try:
        return _file().read_text().strip()
    except OSError:
        return ""


def _file() -> Path:
    return Path(settings.SECRETS_DIR) / "operator.link"
