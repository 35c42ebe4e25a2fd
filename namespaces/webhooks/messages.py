"""Makes the message of a row of the outbox, with what is known when it is sent."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from namespaces.models import Manifest, TagHistoryEntry, WebhookDelivery, named_platforms
from namespaces.webhooks.event_types import OF_TAGS, TEST
from namespaces.webhooks.formats import Message, TagFacts
from namespaces.webhooks.outbox import type_of


def message_of(row: WebhookDelivery) -> Message | None:
    """Return what is to be sent; None where it turned out to be of a type that its webhook does not want.

    Who moved a tag, and when, may be known only since the row was written.
    """
    if row.event_type not in OF_TAGS:
        return _message(row, row.created_at, data=row.data) if _is_wanted(row) else None
    data = dict(row.data)
    entry = TagHistoryEntry.objects.filter(pk=row.history_id or 0).first()  # gone with its image
    if entry:
        data |= {"at": entry.at.isoformat(), "by": entry.by, "previous_digest": entry.old}
        row.event_type = type_of(entry.how, entry.new)
    if not _is_wanted(row):
        return None
    return _message(row, datetime.fromisoformat(data["at"]), tag=_tag_facts(row, data))


def _is_wanted(row: WebhookDelivery) -> bool:
    """Return whether its webhook still wants it: the next receiver may take any message for a push."""
    return bool(row.requested_by) or row.event_type in row.webhook.event_types


def _message(
    row: WebhookDelivery,
    at: datetime,
    *,
    tag: TagFacts | None = None,
    data: dict[str, Any] | None = None,
) -> Message:
    account = row.webhook.account
    more = {} if row.event_type != TEST else {"test": True}
    return Message(
        id=row.header_id,
        event_type=row.event_type,
        at=at,
        source=f"{settings.PUBLIC_URL}/a/{account.handle}",
        subject=row.subject,
        tag=tag,
        data={"account": account.handle, **more, **(data or {})},
    )


def _tag_facts(row: WebhookDelivery, data: dict[str, Any]) -> TagFacts:
    manifest = Manifest.objects.filter(digest=data["digest"]).defer("details", "body_zlib").first()
    address = reverse("tag", args=[row.webhook.account.handle, data["namespace"], data["image"], data["tag"]])
    return TagFacts(
        registry=settings.REGISTRY_HOST,
        namespace=data["namespace"],
        image=data["image"],
        tag=data["tag"],
        digest=data["digest"],
        previous_digest=data["previous_digest"],
        actor=data["by"],
        public=bool(data["public"]),
        media_type=manifest.media_type if manifest else "",
        size=manifest.size if manifest else None,
        platforms=tuple(named_platforms(manifest)) if manifest else (),
        url=settings.PUBLIC_URL + address,
    )
