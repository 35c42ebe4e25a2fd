"""The lines of the log, without the secrets that an address or an error's text may hold."""

import json
import logging
import re
from datetime import UTC, datetime

from manager.server import request_ids

_SECRETS = re.compile(
    r"(rm[a-z]_)[0-9A-Za-z]{38}"  # what accounts/credentials.py makes; links carry it in their path
    r"|(/(?:reset/key|confirm-email)/)[^/\s]+"  # what allauth makes
)


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return hide(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC), level, logger, message; where there are such, request_id and exception."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": hide(record.getMessage()),
        }
        if request_ids.current.id:
            fields["request_id"] = request_ids.current.id
        if record.exc_info:
            fields["exception"] = hide(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


class WithoutTraceback(logging.Filter):
    """For what happens often while a part is away, and is said in one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def hide(text: str) -> str:
    """`text` with each secret cut down to what kind of secret it was."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}…", text)
