"""Counts who pulled what, and notes since when the registry reports it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, Q
from django.utils import timezone

from accounts.common import clock
from namespaces.ledger import confirmation
from namespaces.ledger.confirmation import ConfirmedUse
from namespaces.models import NEVER, Descriptor, PullStats, Tag
from registry_sync import heartbeats
from registry_sync.events import pull_detection
from registry_sync.events.pull_detection import PULL_WINDOW, Classification, Kind, ManifestRequest
from registry_sync.models import Event, Marker, Repository
from registry_sync.tokens.issuer import PANEL_SUBJECT

REPORTING_GAP = timedelta(days=4)  # longer than a long weekend: then nobody knows whether pulls were reported
WRITE_INTERVAL = timedelta(minutes=1)
AFTER_PUSH = timedelta(seconds=1)


@dataclass(slots=True)
class _PullTotal:
    count: int = 0
    event: Event | None = None

    def add(self, event: Event) -> None:
        self.count += 1
        if not self.event or _at(event) >= _at(self.event):
            self.event = event


Key = tuple[int, str, str, str]  # image, tag, digest where there is no tag, username


def of_unknown_images(events: Collection[Event]) -> list[Event]:
    """Those of images that nobody has heard of."""
    known = _known_repositories(events)
    return [event for event in events if event.repository not in known]


def delay_until_after_push(events: Collection[Event]) -> list[Event]:
    """Those whose image is still to come, by a push that waits: they are due after it."""
    now = timezone.now()
    early = {event.repository for event in events} - _known_repositories(events)
    waiting = Event.objects.filter(namespace__in={event.namespace for event in events}, repository__in=early)
    pushes = waiting.filter(action="push", applied_at=None).exclude(due_at=None).order_by()
    due = dict(pushes.values_list("repository").annotate(Min("due_at")))
    for repository, at in due.items():
        behind = [event.pk for event in events if event.repository == repository]
        Event.objects.filter(pk__in=behind).update(due_at=max(at, now) + AFTER_PUSH)
    return [event for event in events if event.repository in due]


def count(events: Collection[Event]) -> list[Event]:
    """Count them, and return those that are done; the others wait here for what may follow (pull_detection.py).

    In the caller's transaction, which also says that they are applied: each is counted once.
    """
    images = _images_of(events)
    requests: dict[int, tuple[int, Event]] = {}
    received: list[datetime] = []
    for number, event in enumerate(events):
        image, since = images.get(event.repository, (None, None))
        if image is None or event.actor == PANEL_SUBJECT or event.media_type == "application/octet-stream":
            continue
        received.append(event.received_at)
        if not since or _at(event) >= since - clock.APART:  # else another namespace of this name was pulled
            requests[event.pk or -number] = (image, event)
    kinds = _kinds(requests)
    totals: dict[Kind, dict[Key, _PullTotal]] = {kind: {} for kind in Kind}
    for pk, kind in kinds.kind.items():
        if pk in requests:
            image, event = requests[pk]
            tag = event.tag or kinds.tag.get(pk, "")
            key = (image, tag, "" if tag else event.digest, event.actor)
            totals[kind].setdefault(key, _PullTotal()).add(event)
    _write(totals[Kind.PULL], totals[Kind.CHECK])
    _confirm(totals[Kind.PULL])
    _record_reported_since(sorted(received))
    now = timezone.now()
    followed = Event.objects.filter(pk__in=kinds.followed - requests.keys(), due_at__isnull=False)
    followed.update(due_at=None, applied_at=now)
    waiting = {pk for pk, kind in kinds.kind.items() if kind is Kind.WAITS}
    Event.objects.filter(pk__in=waiting).update(applied_at=now, due_at=now + PULL_WINDOW)
    return [event for event in events if event.pk not in waiting]


def _kinds(requests: Mapping[int, tuple[int, Event]]) -> Classification:
    new = [
        _manifest_request(pk, event, waited=event.applied_at is not None)
        for pk, (_image, event) in requests.items()
    ]
    direct = [request for request in new if not request.head and not request.tag]
    if not direct:
        return pull_detection.classify(new, [], {})
    listed_in: dict[str, set[str]] = defaultdict(set)
    parts = Descriptor.objects.filter(
        kind=Descriptor.Kind.MANIFEST, digest__in={request.digest for request in direct}
    )
    for index, digest in parts.values_list("manifest_id", "digest"):
        listed_in[digest].add(index)
    moments = [request.at for request in direct]
    near = Event.objects.filter(
        action="pull",
        repository__in={request.who[0] for request in direct},
        actor__in={request.who[1] for request in direct},
        digest__in={request.digest for request in direct}.union(*listed_in.values()),
        at__gte=min(moments) - PULL_WINDOW,
        at__lte=max(moments),
    )
    known = [
        _manifest_request(event.pk, event, open=event.due_at is not None)
        for event in near.exclude(pk__in=requests.keys()).defer("raw")
    ]
    return pull_detection.classify(new, known, listed_in)


def _manifest_request(pk: int, event: Event, *, waited: bool = False, open: bool = False) -> ManifestRequest:  # noqa: A002
    who = (event.repository, event.actor, event.address)
    return ManifestRequest(pk, _at(event), who, event.method == "HEAD", event.tag, event.digest, waited, open)


def _write(pulled: Mapping[Key, _PullTotal], checked: Mapping[Key, _PullTotal]) -> None:
    """In one order everywhere: two transactions never wait for each other crosswise."""
    by_tag: dict[tuple[int, str], _PullTotal] = {}
    for (image, tag, _digest, _username), total in pulled.items():
        if tag and total.event:
            of_tag = by_tag.setdefault((image, tag), _PullTotal())
            of_tag.add(total.event)
            of_tag.count += total.count - 1
    for (image, tag), total in sorted(by_tag.items()):
        _write_tag(image, tag, total)
    for key in sorted(pulled.keys() | checked.keys()):
        _write_pull(key, pulled.get(key, _PullTotal()), checked.get(key, _PullTotal()))


def _confirm(pulled: Mapping[Key, _PullTotal]) -> None:
    """Tell the access ledger that what was granted was used."""
    totals = [(total.event, total.count) for total in pulled.values() if total.event]
    if totals:
        confirmation.confirm([use_of(event, count) for event, count in totals])


def use_of(event: Event, count: int = 1) -> ConfirmedUse:
    return ConfirmedUse(
        event.actor, event.repository, event.action, count, _at(event), event.address, event.client
    )


def _record_reported_since(received: list[datetime]) -> None:
    """By when they came: what waited here for a worker is no gap, what the registry kept to itself is."""
    last, since = heartbeats.last(Marker.PULLS), None
    for at in received:
        if last is None or at - last > REPORTING_GAP:
            since = at
        last = max(last, at) if last else at
    if since:
        Marker.objects.update_or_create(name=Marker.PULLS_SINCE, defaults={"at": since})
    if last and received:
        heartbeats.note(Marker.PULLS, last, every=WRITE_INTERVAL)


def _images_of(events: Iterable[Event]) -> dict[str, tuple[int | None, datetime | None]]:
    """Return repository → its image, and since when its namespace is there."""
    rows = Repository.objects.filter(name__in={event.repository for event in events})
    facts = rows.values_list("name", "image_id", "image__namespace__created_at")
    return {name: (image, since) for name, image, since in facts}


def _known_repositories(events: Iterable[Event]) -> set[str]:
    return {name for name, (image, _since) in _images_of(events).items() if image is not None}


def _write_tag(image: int, tag: str, total: _PullTotal) -> None:
    assert total.event
    row = Tag.objects.filter(image_id=image, name=tag)
    row.update(pull_count=F("pull_count") + total.count)
    row.filter(pulled_at__lt=_at(total.event)).update(pulled_at=_at(total.event))


def _write_pull(key: Key, pulled: _PullTotal, checked: _PullTotal) -> None:
    """Where and with what: of the last pull, and of the last check where it was never pulled."""
    image, tag, digest, username = key
    by = {"image_id": image, "tag": tag, "username": username} | ({} if tag else {"digest": digest})
    row, _new = PullStats.objects.get_or_create(**by, defaults={"last_at": NEVER})
    same = PullStats.objects.filter(pk=row.pk)
    same.update(count=F("count") + pulled.count, checks=F("checks") + checked.count)
    if event := checked.event:
        same.filter(Q(checked_at=None) | Q(checked_at__lt=_at(event))).update(checked_at=_at(event))
        same.filter(count=0).update(digest=event.digest, address=event.address, client=event.client)
    if event := pulled.event:
        same.filter(last_at__lte=_at(event)).update(
            digest=event.digest, last_at=_at(event), address=event.address, client=event.client
        )


def _at(event: Event) -> datetime:
    return event.at or event.received_at
