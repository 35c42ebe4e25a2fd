"""What a notification says. PURE, and wary: it may be of any version, cut, or nonsense, and is never refused."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.common.json_fields import read_mapping, read_moment, read_text
from accounts.common.timestamps import FIRST
from accounts.common.user_agent import short

EVENTS_MAX = 1000
RAW_MAX = 16 * 1024
_ID_MAX = 100
_USER_AGENT_FIELD = re.compile(
    r'("useragent":\s*")((?:[^"\\]|\\.)*)'
)  # in what `raw` holds, which may be cut
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::[0-9]+)?|([^:\[\]]+):[0-9]+")


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """One event; mirrors registry_sync.models.Event. What it does not say is "" or None."""

    event_id: str
    raw: str
    at: datetime | None = None
    method: str = ""
    action: str = ""  # push, pull, mount, delete
    repository: str = ""
    tag: str = ""
    digest: str = ""
    actor: str = ""
    media_type: str = ""
    address: str = ""
    client: str = ""


def parse_envelope(body: bytes, *, now: datetime) -> list[ParsedEvent]:
    """Return the events of one POST. What is no envelope is one event that says nothing, so that it is seen."""
    try:
        events = json.loads(body)["events"]
    except (ValueError, RecursionError, KeyError, TypeError):
        events = None
    if not isinstance(events, list):
        return [ParsedEvent(_content_id(body), read_text(body.decode(errors="replace"), RAW_MAX))]
    return [_parse_event(event, now) for event in events[:EVENTS_MAX]]


def redacted(raw: str) -> str:
    """As it came, but for what a User-Agent says of somebody's machine."""
    return _USER_AGENT_FIELD.sub(lambda found: found[1] + short(found[2]), raw)


def _parse_event(event: Any, now: datetime) -> ParsedEvent:
    written = json.dumps(event)
    fields = read_mapping(event)
    target, request, actor = (read_mapping(fields.get(key)) for key in ("target", "request", "actor"))
    id_ = read_text(fields.get("id"), _ID_MAX + 1)
    return ParsedEvent(
        event_id=id_ if 0 < len(id_) <= _ID_MAX else _content_id(written.encode()),
        raw=read_text(written, RAW_MAX),
        at=_never_later(read_moment(fields.get("timestamp")), now),
        method=read_text(request.get("method"), 10),
        action=read_text(fields.get("action"), 20),
        repository=read_text(target.get("repository"), 255),
        tag=read_text(target.get("tag"), 128),
        digest=read_text(target.get("digest"), 140),
        actor=read_text(actor.get("name"), 64),
        media_type=read_text(target.get("mediaType"), 120),
        address=_without_port(read_text(request.get("addr"), 64)),
        client=read_text(request.get("useragent"), 200),
    )


def _without_port(address: str) -> str:
    """Behind a proxy the registry sends an address, else address and port, which is another each time."""
    found = _WITH_PORT.fullmatch(address)
    return found[1] or found[2] if found else address


def _content_id(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _never_later(moment: datetime | None, now: datetime) -> datetime | None:
    """Never in the future: a tag pushed next year would hide every push until then. None for Go's year 1."""
    return min(moment, now) if moment and moment >= FIRST else None
