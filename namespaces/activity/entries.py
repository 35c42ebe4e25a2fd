"""One line of an account's activity, whichever table it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from accounts.models import AuditEvent, Denial
from namespaces.models import PullStats, TagHistoryEntry

Row = AuditEvent | TagHistoryEntry | PullStats | Denial


class ClientAction(StrEnum):
    """What clients of the registry did. A change by a person has its code of the audit log."""

    PUSHED = "client.pushed"
    DELETED = "client.deleted"
    PULLED = "client.pulled"
    DENIED = "client.denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEntry:
    """`action` is a code: of the audit log, or a ClientAction.

    `actor` is a person's address, "system", or a registry user's username; of a client "" for nobody signed in, or
    nobody that the registry named. `count`: how often until `at`; pulls and denied requests are kept once for each
    tag or image. `before` and `after` hold plain JSON.
    """

    at: datetime
    actor: str
    actor_kind: str = "user"
    action: str
    object_kind: str = "image"
    object_id: str
    object: str
    address: str = ""
    client: str = ""
    count: int = 1
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def entries_of(rows: Iterable[Row]) -> list[ActivityEntry]:
    return [*map(_entry, rows)]


def _entry(row: Row) -> ActivityEntry:
    match row:
        case AuditEvent():
            return _change(row)
        case TagHistoryEntry():
            return _push(row)
        case PullStats():
            return _pull(row)
        case Denial():
            return _denial(row)


def _change(row: AuditEvent) -> ActivityEntry:
    return ActivityEntry(
        at=row.at, actor=row.actor, actor_kind=row.actor_kind, action=row.action, object_kind=row.object_kind,
        object_id=row.object_id, object=row.object, address=row.address, before=row.before, after=row.after,
    )  # fmt: skip


def _push(row: TagHistoryEntry) -> ActivityEntry:
    return ActivityEntry(
        at=row.at,
        actor=row.by,
        action=ClientAction.PUSHED if row.new else ClientAction.DELETED,
        object_id=str(row.image_id),
        object=f"{row.image.repository}:{row.tag}",
        before={"digest": row.old} if row.old else {},
        after={"digest": row.new} if row.new else {},
    )


def _pull(row: PullStats) -> ActivityEntry:
    tag = f":{row.tag}" if row.tag else f"@{row.digest.rpartition(':')[2][:12]}"
    return ActivityEntry(
        at=row.last_at, actor=row.username, action=ClientAction.PULLED, object_id=str(row.image_id),
        object=f"{row.image.repository}{tag}", address=row.address, client=row.client, count=row.count,
        after={"digest": row.digest} if row.digest else {},
    )  # fmt: skip


def _denial(row: Denial) -> ActivityEntry:
    after = {"request": row.action or "login", "reason": row.reason, "remedy": row.remedy}
    return ActivityEntry(
        at=row.last_at, actor=row.user.username, action=ClientAction.DENIED, object_id="", object=row.repository,
        object_kind="image" if row.repository else "user", address=row.address, client=row.client, count=row.count,
        after=after | ({"mount_sources": row.sources} if row.sources else {}),
    )  # fmt: skip
