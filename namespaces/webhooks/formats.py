"""How a message is written for its receiver. PURE.

Rules of receivers, read from their own code: docs/webhooks.md. The registry's name has no scheme, since Argo CD
Image Updater takes `https://…` for a part of the name; Harbor's `occur_at` is a whole number, which Keel and Argo
demand; a tag is added to the address for Portainer alone, since Flux matches the whole of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from namespaces.webhooks.event_types import PREFIX, PUSHES, EventType, Format

JSON = "application/json"
HARBOR_TYPES = dict.fromkeys(PUSHES, "PUSH_ARTIFACT") | {EventType.TAG_DELETED: "DELETE_ARTIFACT"}
HARBOR_TEST = "TEST"


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What a tag's move is told with. `digest`: "" when it is gone, `previous_digest`: "" when it is new.

    `size`: bytes that a client downloads, None where it is not known; `actor`: who did it, "" where nobody told.
    """

    registry: str  # host and port, without a scheme
    namespace: str
    image: str
    tag: str
    digest: str
    previous_digest: str
    actor: str = ""
    media_type: str = ""
    size: int | None = None
    platforms: tuple[str, ...] = ()
    url: str = ""  # of the tag's page
    public: bool = False

    @property
    def repository(self) -> str:
        return f"{self.namespace}/{self.image}"

    @property
    def reference(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told. `id` is the same whenever it is sent; `data` is of what is about no tag."""

    id: str
    event_type: str  # an EventType, or TEST
    at: datetime
    source: str  # the account's address in the panel
    subject: str
    tag: TagFacts | None = None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What is sent: the body, its content type ("" for none) and the address that it goes to."""

    url: str
    body: bytes
    content_type: str


def write(message: Message, format: Format, url: str) -> Written:
    match format:
        case Format.CLOUDEVENTS:
            return Written(url, _json(_cloud_event(message)), "application/cloudevents+json")
        case Format.CLOUDEVENTS_JSON:
            return Written(url, _json(_cloud_event(message)), JSON)
        case Format.HARBOR:
            return Written(url, _json(_harbor(message)), JSON)
        case Format.KEEL:
            return Written(url, _json(_keel(message)), JSON)
        case Format.PORTAINER if message.tag:
            separator = "&" if "?" in url else "?"
            return Written(f"{url}{separator}tag={quote(message.tag.tag, safe='')}", b"", "")
        case _:
            return Written(url, b"", "")


def _cloud_event(message: Message) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message.id,
        "type": PREFIX + message.event_type,
        "source": message.source,
        **({"subject": message.subject} if message.subject else {}),
        "time": message.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": JSON,
        "data": _tag_data(message.tag) if message.tag else dict(message.data or {}),
    }


def _tag_data(tag: TagFacts) -> dict[str, Any]:
    return {
        "registry": tag.registry,
        "repository": tag.repository,
        "reference": tag.reference,
        "tag": tag.tag,
        "digest": tag.digest or None,
        "previousDigest": tag.previous_digest or None,
        "mediaType": tag.media_type or None,
        "size": tag.size,
        "platforms": list(tag.platforms),
        "actor": tag.actor or None,
        "url": tag.url,
    }


def _harbor(message: Message) -> dict[str, Any]:
    tag = message.tag
    event: dict[str, Any] = {
        "type": HARBOR_TYPES[EventType(message.event_type)] if tag else HARBOR_TEST,
        "occur_at": int(message.at.timestamp()),
        "operator": tag.actor if tag else "",
    }
    if tag:
        resource = {
            "digest": tag.digest or tag.previous_digest, "tag": tag.tag, "resource_url": tag.reference,
        }  # fmt: skip
        event["event_data"] = {
            "resources": [resource],
            "repository": {
                "name": tag.image,
                "namespace": tag.namespace,
                "repo_full_name": tag.repository,
                "repo_type": "public" if tag.public else "private",
            },
        }
    return event


def _keel(message: Message) -> dict[str, str]:
    """Of a test as well: a name that nothing is deployed from."""
    if not message.tag:
        return {"name": "registry-manager/test", "tag": "test"}
    return {"name": f"{message.tag.registry}/{message.tag.repository}", "tag": message.tag.tag}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
