"""What a push or a delete changes in the picture."""

from datetime import datetime

from django.db import transaction

from namespaces.models import Image, Manifest, Tag, TagMove
from namespaces.names import DIGEST, TAG, is_repository
from registry_sync.client import Missing, Registry
from registry_sync.models import Event, Repository
from registry_sync.picture import look, stand_ins
from registry_sync.picture.write import Move, note_held, write_moves
from registry_sync.sync import apply as sync_apply
from registry_sync.sync import drift
from registry_sync.token.service import PANEL_SUBJECT

CONFIRMATIONS = 3  # so often asked, 14 seconds after it was told, and a tag that still is not there goes


def apply(event: Event, registry: Registry) -> bool:
    """True when nothing is left to ask; False when the registry is to be asked again a little later.

    Raises RegistryError when it could not be asked now.
    """
    if event.media_type == "application/octet-stream" or not is_repository(event.repository):
        return True
    if event.action == "push" and DIGEST.fullmatch(event.digest):
        if event.actor == PANEL_SUBJECT and stand_ins.among([event.digest]):
            return True  # under the tag for a moment, to remove it
        image = _image(event.repository, create=True)
        return image is None or _pushed(event, image, registry)
    if event.action == "delete":
        image = _image(event.repository, create=False)
        return image is None or _deleted(event, image, registry)
    return True


def is_before(event: Event, namespace: datetime) -> bool:
    """It tells of another namespace that had the name before. What the registry holds now, it is asked."""
    return (event.at or event.received_at) < namespace


def _pushed(event: Event, image: Image, registry: Registry) -> bool:
    if not TAG.fullmatch(event.tag):
        return _held(event, image, registry)
    if event.applied_at or is_before(event, image.namespace.created_at):
        return _confirm(event, image, registry)
    try:
        look.store(image.repository, event.digest, registry)
    except Missing:
        return _confirm(event, image, registry)  # deleted since
    _point(event, image)
    drift.explain(event.repository, event.tag, event.digest)
    return False


def _held(event: Event, image: Image, registry: Registry) -> bool:
    """A manifest without a tag: of one platform, or hung onto another."""
    try:
        if is_before(event, image.namespace.created_at):
            registry.manifest(image.repository, event.digest)  # that it is stored says nothing of this image
        look.store(image.repository, event.digest, registry)
    except Missing:
        return True
    note_held(image, {event.digest})
    return True


@transaction.atomic
def _point(event: Event, image: Image) -> None:
    at, by = event.at or event.received_at, "" if event.actor == PANEL_SUBJECT else event.actor
    tag = Tag.objects.filter(image=image, name=event.tag).first()
    if tag and tag.manifest_id == event.digest:
        if not tag.pushed_by and by:  # a reconcile was quicker, and knows neither who nor when
            Tag.objects.filter(pk=tag.pk).update(pushed_by=by, pushed_at=min(at, tag.pushed_at))
            found = TagMove.objects.filter(image=image, tag=tag.name, new=event.digest, by="")
            TagMove.objects.filter(pk=found.order_by("-id").values("pk")[:1]).update(by=by)
    elif not tag or at >= tag.pushed_at:
        write_moves(image, [Move(event.tag, event.digest, at, by)], how=TagMove.How.EVENT)


def _confirm(event: Event, image: Image, registry: Registry) -> bool:
    """Asks what the tag points at now; that is the truth, whatever was told. Storage may be slow with new links."""
    marked = Tag.objects.filter(image=image, name=event.tag).exclude(missing_since=None).exists()
    take_away = marked and event.attempts >= CONFIRMATIONS
    gone = look.at_tag(image, event.tag, registry, take_away=take_away)
    return not gone or not Tag.objects.filter(image=image, name=event.tag).exists()


def _deleted(event: Event, image: Image, registry: Registry) -> bool:
    """Being told is the first answer; each tag that it may be about is asked for, and 404 is the second."""
    named = [event.tag] if TAG.fullmatch(event.tag) else []
    if not named and DIGEST.fullmatch(event.digest):
        named = list(Tag.objects.filter(image=image, manifest=event.digest).values_list("name", flat=True))
    there = [tag for tag in named if not look.at_tag(image, tag, registry, take_away=True)]
    for tag in set(named) - set(there):
        drift.explain(event.repository, tag, "")
    if DIGEST.fullmatch(event.digest) and Manifest.objects.filter(digest=event.digest).exists():
        look.at_digest(image, event.digest, registry)
    return not there or event.applied_at is not None


def _image(repository: str, *, create: bool) -> Image | None:
    """None for a repository in no account's namespace."""
    row = Repository.objects.select_related("image__namespace").filter(name=repository).first()
    if row is None and not create:
        return None
    if row is None or row.image is None:
        row = sync_apply.claim(repository)
    return row.image
