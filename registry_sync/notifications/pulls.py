"""Counts who pulled what, and notes since when the registry tells of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min
from django.utils import timezone

from namespaces.models import Pull, Tag
from registry_sync import heartbeat
from registry_sync.models import Event, Heartbeat, Repository
from registry_sync.token.service import PANEL_SUBJECT

GAP = timedelta(days=4)  # longer than a long weekend: then nobody knows whether pulls were told
OFTEN = timedelta(minutes=1)
BEHIND = timedelta(seconds=1)


@dataclass(slots=True)
class _Some:
    count: int = 0
    event: Event | None = None

    def add(self, event: Event) -> None:
        self.count += 1
        if not self.event or _at(event) >= _at(self.event):
            self.event = event


def before_the_first_push(events: Collection[Event]) -> list[Event]:
    """Those of images that nobody has heard of."""
    known = _known(events)
    return [event for event in events if event.repository not in known]


def put_behind_the_push(events: Collection[Event]) -> list[Event]:
    """Those whose image is still to come, by a push that waits: they are due after it."""
    now = timezone.now()
    early = {event.repository for event in events} - _known(events)
    waiting = Event.objects.filter(namespace__in={event.namespace for event in events}, repository__in=early)
    pushes = waiting.filter(action="push", applied_at=None).exclude(due_at=None).order_by()
    due = dict(pushes.values_list("repository").annotate(Min("due_at")))
    for repository, at in due.items():
        behind = [event.pk for event in events if event.repository == repository]
        Event.objects.filter(pk__in=behind).update(due_at=max(at, now) + BEHIND)
    return [event for event in events if event.repository in due]


def count(events: Iterable[Event]) -> None:
    """In the caller's transaction, which also says that they are applied: each is counted once.

    docker asks HEAD with the tag and then GET by digest: what is counted for a tag names the tag.
    """
    by_user: dict[tuple[int, str, str, str], _Some] = {}
    by_tag: dict[tuple[int, str], _Some] = {}
    images = _images(events)
    told: list[datetime] = []
    for event in events:
        image, since = images.get(event.repository, (None, None))
        if image is None or event.actor == PANEL_SUBJECT or event.media_type == "application/octet-stream":
            continue
        told.append(event.received_at)
        if since and _at(event) < since:
            continue  # by whom and from where another namespace of this name was pulled
        digest = "" if event.tag else event.digest
        by_user.setdefault((image, event.tag, digest, event.actor), _Some()).add(event)
        if event.tag:
            by_tag.setdefault((image, event.tag), _Some()).add(event)
    # In one order everywhere: two transactions never wait for each other crosswise.
    for (image, tag), some in sorted(by_tag.items()):
        _write_tag(image, tag, some)
    for (image, tag, digest, username), some in sorted(by_user.items()):
        _write_pull(image, tag, digest, username, some)
    _note(sorted(told))


def _note(told: list[datetime]) -> None:
    """By when they came: what waited here for a worker is no gap, what the registry kept to itself is."""
    last, since = heartbeat.last(Heartbeat.PULLS), None
    for at in told:
        if last is None or at - last > GAP:
            since = at
        last = max(last, at) if last else at
    if since:
        Heartbeat.objects.update_or_create(name=Heartbeat.PULLS_SINCE, defaults={"at": since})
    if last and told:
        heartbeat.note(Heartbeat.PULLS, last, every=OFTEN)


def _images(events: Iterable[Event]) -> dict[str, tuple[int | None, datetime | None]]:
    """repository → its image, and since when its namespace is there."""
    rows = Repository.objects.filter(name__in={event.repository for event in events})
    facts = rows.values_list("name", "image_id", "image__namespace__created_at")
    return {name: (image, since) for name, image, since in facts}


def _known(events: Iterable[Event]) -> set[str]:
    return {name for name, (image, _since) in _images(events).items() if image is not None}


def _write_tag(image: int, tag: str, some: _Some) -> None:
    assert some.event
    row = Tag.objects.filter(image_id=image, name=tag)
    row.update(pull_count=F("pull_count") + some.count)
    row.filter(pulled_at__lt=_at(some.event)).update(pulled_at=_at(some.event))


def _write_pull(image: int, tag: str, digest: str, username: str, some: _Some) -> None:
    event = some.event
    assert event
    key = {"image_id": image, "tag": tag, "username": username} | ({} if tag else {"digest": digest})
    last = {
        "digest": event.digest, "last_at": _at(event), "address": event.address, "client": event.client,
    }  # fmt: skip
    row, new = Pull.objects.get_or_create(**key, defaults={**last, "count": some.count})
    if not new:
        Pull.objects.filter(pk=row.pk).update(count=F("count") + some.count)
        Pull.objects.filter(pk=row.pk, last_at__lte=_at(event)).update(**last)


def _at(event: Event) -> datetime:
    return event.at or event.received_at
