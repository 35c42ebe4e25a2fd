"""Mail without a mail server: each message becomes a file, and the log says where."""

import logging
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend

log = logging.getLogger(__name__)


class FolderBackend(EmailBackend):
    """Django's file backend, with a folder that only we may read: reset links are as good as passwords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Path(settings.EMAIL_FILE_PATH).mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(*args, **kwargs)

    def open(self) -> bool:
        opened = super().open()
        if opened:
            os.chmod(self._get_filename(), 0o600)  # type: ignore[attr-defined]  # noqa: PTH101
            log.info("no mail server (EMAIL_URL): message written to %s", self._get_filename())  # type: ignore[attr-defined]
        return bool(opened)
