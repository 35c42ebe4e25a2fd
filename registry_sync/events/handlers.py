"""What a push or a delete changes in the inventory."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet

from accounts.common import clock
from namespaces.models import FormerManifest, Image, Manifest, Tag, TagHistoryEntry
from namespaces.names import DIGEST, TAG
from registry_sync.client import NotInRegistry, RegistryClient
from registry_sync.events import kinds
from registry_sync.events.kinds import Kind
from registry_sync.inventory import late_history, placeholders, refresh
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import count_untagged, record_present
from registry_sync.models import Event, Repository
from registry_sync.reconcile import drift
from registry_sync.reconcile import writer as reconcile_writer
from registry_sync.tokens.issuer import PANEL_SUBJECT

CONFIRMATIONS = 3  # so often asked, 14 seconds after the event, and a tag that still is not there goes
NEARBY = timedelta(minutes=10)  # between two instances of a registry that report one tag


def handle(event: Event, registry: RegistryClient) -> bool:
    """Return True when nothing is left to ask; False when the registry is to be asked again a little later.

    Raise RegistryError when it could not be asked now.
    """
    kind = kind_of(event)
    if kind is Kind.NOTHING:
        return True
    if kind is Kind.DELETION:
        image = find_image(event.repository, create=False)
        if not image:  # of something that no event has reported yet, or that a deleted namespace left
            _note_former_gone(event, registry)
            return event.applied_at is not None and not _push_waits(event)
        return _deleted(event, image, registry)
    if event.actor == PANEL_SUBJECT and placeholders.among([event.digest]):
        return True  # under the tag for a moment, to remove it
    image = find_image(event.repository, create=True)
    if image is None:
        return True
    if kind is Kind.UNTAGGED_PUSH:
        return _pushed_without_tag(event, image, registry)
    return _pushed(event, image, registry)


def kind_of(event: Event) -> Kind:
    return kinds.kind_of(
        action=event.action,
        media_type=event.media_type,
        repository=event.repository,
        tag=event.tag,
        digest=event.digest,
        applied=event.applied_at is not None,
    )


def predates(event: Event, namespace: datetime) -> bool:
    """Return whether it is about a namespace that had the name before. The registry is asked what it holds now.

    The registry's clock says when it was, and the panel's when the namespace was made.
    """
    return _at(event) < namespace - clock.APART


def _pushed(event: Event, image: Image, registry: RegistryClient) -> bool:
    if predates(event, image.namespace.created_at):
        return _confirm(event, image, registry)
    if not event.applied_at:
        try:
            refresh.store_manifest(image.repository, event.digest, registry)
        except NotInRegistry:
            pass  # deleted since
        else:
            if late_history.record_change(image, tag_change(event, event.digest)):
                refresh.refresh_digest(
                    image, event.digest, registry
                )  # stored, but perhaps deleted here since
            drift.explain(event.repository, event.tag, event.digest)
            return False
    settled = _confirm(event, image, registry)
    if Manifest.objects.filter(digest=event.digest).exists():
        return settled
    return settled and (_record_if_superseded(event, image) or event.applied_at is not None)


def _pushed_without_tag(event: Event, image: Image, registry: RegistryClient) -> bool:
    """Note a manifest without a tag: of one platform, or hung onto another."""
    try:
        if predates(event, image.namespace.created_at):
            registry.manifest(image.repository, event.digest)  # that it is stored says nothing of this image
        refresh.store_manifest(image.repository, event.digest, registry)
    except NotInRegistry:
        return True
    record_present(image, {event.digest})
    count_untagged(image)
    return True


def _confirm(event: Event, image: Image, registry: RegistryClient) -> bool:
    """Ask what the tag points at now; that is the truth, whatever events said. Storage may be slow with new links."""
    if event.pk < last_pushes([event])[event.repository, event.tag]:
        return True
    marked = Tag.objects.filter(image=image, name=event.tag).exclude(missing_since=None).exists()
    asked_enough = event.attempts >= CONFIRMATIONS
    moves = TagHistoryEntry.objects.filter(image=image, tag=event.tag, new=event.digest, at=_at(event))
    before = "" if asked_enough else moves.values_list("old", flat=True).first()
    try:
        gone = refresh.refresh_tag(
            image, event.tag, registry, take_away=marked and asked_enough, before=before or ""
        )
    except refresh.StaleAnswer:
        return False
    if not gone:
        return True
    still_stored = Tag.objects.filter(image=image, name=event.tag).exists()
    if not still_stored and not predates(event, image.namespace.created_at):
        for deletion in (
            _nearby_events(event, event.tag).filter(action="delete", at__gt=_at(event)).order_by("at")
        ):
            late_history.record_change(image, tag_change(deletion, ""))
    return not still_stored


def _note_former_gone(event: Event, registry: RegistryClient) -> None:
    """Note that what a deleted namespace left is gone: the event is the first answer, and 404 is the second."""
    left = FormerManifest.objects.filter(repository=event.repository, manifest=event.digest, gone_at=None)
    if not left.exists():
        return
    try:
        registry.manifest(event.repository, event.digest)
    except NotInRegistry:
        left.update(gone_at=clock.now())


def _deleted(event: Event, image: Image, registry: RegistryClient) -> bool:
    """Ask for each tag that it may be about: the event is the first answer, and 404 is the second."""
    named = [event.tag] if TAG.fullmatch(event.tag) else []
    if not named and DIGEST.fullmatch(event.digest):
        named = list(Tag.objects.filter(image=image, manifest=event.digest).values_list("name", flat=True))
    remaining = [tag for tag in named if not refresh.refresh_tag(image, tag, registry, take_away=True)]
    for tag in set(named) - set(remaining):
        if not predates(event, image.namespace.created_at):
            _record_earlier_pushes(event, image, tag)
            late_history.record_change(image, replace(tag_change(event, ""), tag=tag))
        drift.explain(event.repository, tag, "")
    if event.tag in remaining:
        _record_if_superseded(event, image)
    if DIGEST.fullmatch(event.digest) and Manifest.objects.filter(digest=event.digest).exists():
        refresh.refresh_digest(image, event.digest, registry)
    return (not remaining or event.applied_at is not None) and not _push_waits(event)


def _record_if_superseded(event: Event, image: Image) -> bool:
    """Write the history alone when something newer is known of the tag: it went and came again, or the other way round.

    So what the registry shows no trace of is believed.
    """
    if predates(event, image.namespace.created_at):
        return False
    newer = TagHistoryEntry.objects.filter(image=image, tag=event.tag, at__gt=_at(event)).exists()
    later = _nearby_events(event, event.tag).filter(at__gt=_at(event)).order_by("at").first()
    if not newer and not later:
        return False
    if event.action == "delete":
        _record_earlier_pushes(event, image, event.tag)
    late_history.record_change(
        image, tag_change(event, event.digest if event.action == "push" else ""), stored=False
    )
    pushed = later and later.action == "push" and later.digest
    if later and pushed and Tag.objects.filter(image=image, name=event.tag, manifest=pushed).exists():
        late_history.record_change(image, tag_change(later, pushed))
    return True


def _record_earlier_pushes(event: Event, image: Image, tag: str) -> None:
    """Pushes whose manifest was deleted before it could be read."""
    pushes = _nearby_events(event, tag).filter(action="push", at__lt=_at(event)).order_by("at")
    recorded = set(TagHistoryEntry.objects.filter(image=image, tag=tag).values_list("new", flat=True))
    for push in pushes:
        if push.digest not in recorded and not predates(push, image.namespace.created_at):
            late_history.record_change(image, tag_change(push, push.digest), stored=False)


def _nearby_events(event: Event, tag: str) -> QuerySet[Event]:
    since = event.received_at - NEARBY
    events = Event.objects.filter(received_at__gte=since, repository=event.repository, tag=tag)
    return events.exclude(action="pull").exclude(digest__in=placeholders.all_digests()).defer("raw")


def last_pushes(events: Iterable[Event]) -> dict[tuple[str, str], int]:
    """Return (repository, tag) → the last push that is applied and not confirmed yet: its question is the best one."""
    events = list(events)
    waiting = Event.objects.filter(
        namespace__in={event.namespace for event in events}, due_at__isnull=False, action="push"
    )
    same = waiting.filter(
        repository__in={event.repository for event in events}, tag__in={event.tag for event in events}
    )
    last = same.exclude(applied_at=None).order_by().values_list("repository", "tag").annotate(Max("pk"))
    return {(event.repository, event.tag): event.pk for event in events} | {
        (repository, tag): pk for repository, tag, pk in last
    }


def _push_waits(event: Event) -> bool:
    """One from before it, of which nothing is written down as yet: then the deletion has no place in the history."""
    waiting = Event.objects.filter(namespace=event.namespace, due_at__isnull=False, action="push")
    return waiting.filter(repository=event.repository, applied_at=None, at__lt=_at(event)).exists()


def tag_change(event: Event, digest: str) -> TagChange:
    by = "" if event.actor == PANEL_SUBJECT else event.actor
    return TagChange(event.tag, digest, _at(event), by)


def _at(event: Event) -> datetime:
    return event.at or event.received_at


def find_image(repository: str, *, create: bool) -> Image | None:
    """None for a repository in no account's namespace."""
    rows = Repository.objects.select_related("image__namespace__account")
    row = rows.filter(name=repository).first()
    if row is None and not create:
        return None
    if row is None or row.image is None:
        row = reconcile_writer.assign(repository)
    return row.image
