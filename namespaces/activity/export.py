"""All of an account's activity as a file, written while it is sent: a thousand lines are in memory at a time.

A line for each entry, the newest first, in English and UTC whatever the reader's language.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from django.http import StreamingHttpResponse

from accounts.common.pagination import paginate
from accounts.models import Account
from namespaces.activity.entries import ActivityEntry, entries_of
from namespaces.activity.sources import ActivityFilter, sources

BATCH: Final = 1000
COLUMNS: Final = (
    "occurred_at", "actor", "client_ip", "client", "action", "object_kind", "object_id", "object_label", "count",
    "before", "after",
)  # fmt: skip
# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES: Final = {Format.CSV: "text/csv", Format.JSONL: "application/jsonl"}


def response(account: Account, asked: ActivityFilter, format: Format) -> StreamingHttpResponse:
    """Each batch is statements of its own, so no thread and no cursor waits for whoever reads."""
    write = _WRITERS[format]
    return StreamingHttpResponse(
        (text.encode() for text in write(_batches(account, asked))),
        content_type=f"{MEDIA_TYPES[format]}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{account.handle}-activity.{format}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store, private",
        },
    )


def _batches(account: Account, asked: ActivityFilter) -> Iterator[list[ActivityEntry]]:
    rows, cursor, first = sources(account, asked), "", True
    while first or cursor:
        page = paginate(*rows, cursor=cursor, size=BATCH)
        yield entries_of(page.rows)
        first, cursor = False, page.next_cursor


def _csv(batches: Iterable[list[ActivityEntry]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for batch in batches:
        writer.writerows([_cell(value) for value in _facts(entry).values()] for entry in batch)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else _json(value) if value else ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _jsonl(batches: Iterable[list[ActivityEntry]]) -> Iterator[str]:
    for batch in batches:
        yield "".join(f"{_json(_facts(entry))}\n" for entry in batch)


def _facts(entry: ActivityEntry) -> dict[str, Any]:
    values = (
        _moment(entry.at), entry.actor, entry.address, entry.client, entry.action, entry.object_kind,
        entry.object_id, entry.object, entry.count, entry.before, entry.after,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_WRITERS: Final[dict[Format, Callable[[Iterable[list[ActivityEntry]]], Iterator[str]]]] = {
    Format.CSV: _csv,
    Format.JSONL: _jsonl,
}
