"""Applies many events together: in a few statements, and with several questions to the registry at once.

What needs more thought than that is left to be handled one by one: deletions and all else of their repositories, what
failed before, and whatever a batch failed at. So an event that cannot be applied, or kills a worker, spoils a batch
once, and then only itself.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.conf import settings
from django.db import transaction

from accounts.common.database_errors import Outage, outage_of
from accounts.common.lazy_text import lazy as _
from namespaces.models import Image, Manifest, Tag
from registry_sync import leases
from registry_sync.client import RegistryClient, RegistryError
from registry_sync.client.crawler import TagRef
from registry_sync.events import handlers, outcomes
from registry_sync.events.due_events import Account, EventQueue
from registry_sync.events.kinds import Kind
from registry_sync.inventory import late_history, refresh, stored
from registry_sync.inventory.fetcher import ManifestRef
from registry_sync.inventory.writer import any_of, count_untagged, record_all_present
from registry_sync.leases import LeaseHandle
from registry_sync.models import Event, Repository, WorkerCrash
from registry_sync.reconcile import drift
from registry_sync.tokens.issuer import PANEL_SUBJECT
from registry_sync.work_units import WorkUnit

FETCHED_AT_ONCE = 32  # new manifests, each of up to 4 MB
CRASHED = _("a worker crashed while it applied several events; they are now applied one by one")
_ITEM = "events "  # of the work unit of a batch; then the first and the last

log = logging.getLogger(__name__)


def single_out_crashed() -> None:
    """Have each event by itself of a batch that a worker crashed on: so the one that did it is found."""
    for crash in WorkerCrash.objects.filter(repository="", item__startswith=_ITEM):
        first, last = map(int, crash.item.removeprefix(_ITEM).split("-"))
        due = Event.objects.filter(pk__range=(first, last), due_at__lte=crash.at, problem="")
        due = due.exclude(action="pull")
        with transaction.atomic():
            due.update(problem=CRASHED)
            crash.delete()


class BatchApplier:
    """Of one run of the processor, under its lease.

    Several questions are asked at once when the registry answered one of this run, and not about the images of who is
    failing or got no answer.
    """

    def __init__(self, registry: RegistryClient, lease: LeaseHandle) -> None:
        self._registry = registry
        self._lease = lease
        self._registry_answers = False
        self._requests = registry.requests

    def note_answer(self) -> bool:
        """Note that an event by itself succeeded. Return whether the registry answers again since then."""
        began = not self._registry_answers and self._registry.requests > self._requests
        self._registry_answers |= began
        self._requests = self._registry.requests
        return began

    def apply(
        self, events: Sequence[Event], queue: EventQueue, *, by_themselves: Collection[Account]
    ) -> list[Event]:
        """Apply what can be applied together, and return the rest, in its order. Raise LeaseLost, DatabaseError.

        `by_themselves`: accounts with something that workers crash on.
        """
        deleting = {event.repository for event in events if handlers.kind_of(event) is Kind.DELETION}
        failed = {(event.repository, event.tag) for event in events if event.problem and event.tag}
        fitting = [
            event
            for event in events
            if not event.problem
            and (event.repository, event.tag) not in failed
            and event.repository not in deleting
            and queue.account_of(event) not in by_themselves
        ]
        not_asked = queue.unanswered | queue.failing
        self._askable = {event.pk for event in fitting if queue.account_of(event) not in not_asked}
        done = set[int]()
        if fitting:
            self._attempt(self._apply, fitting, done)
            self._attempt(self._confirm, fitting, done)
        return [event for event in events if event.pk not in done]

    def _attempt(
        self, work: Callable[[Sequence[Event], set[int]], None], events: Sequence[Event], done: set[int]
    ) -> None:
        try:
            work(events, done)
        except leases.LeaseLost:
            raise
        except (RegistryError, late_history.TooManyMoves):
            pass
        except Exception as error:
            outage = outage_of(error)
            if outage not in (None, Outage.BUSY):
                raise
            if not outage:
                log.exception("%d events cannot be applied together", len(events))

    def _apply(self, events: Sequence[Event], done: set[int]) -> None:
        of_kind: dict[Kind, list[Event]] = {kind: [] for kind in Kind}
        for event in events:
            of_kind[handlers.kind_of(event)].append(event)
        pushes = of_kind[Kind.PUSH] + of_kind[Kind.UNTAGGED_PUSH]
        images = _images_of(pushes, create=True)
        owned = {event: image for event in pushes if (image := _own_image(event, images))}
        ref = {event: ManifestRef(event.repository, event.digest) for event in owned}
        read = self._read_manifests(ref)
        image_of = {event: image for event, image in owned.items() if ref[event] in read}
        tagged = _without_gaps(of_kind[Kind.PUSH], image_of)
        settled = of_kind[Kind.NOTHING] + [event for event in pushes if images[event.repository] is None]
        if not settled and not image_of:
            return
        # Until the transaction is over that clears it; what is left is noted anew when it has its own turn.
        self._lease.set_current_work(_work_unit([*settled, *image_of]).packed())
        untagged = [event for event in of_kind[Kind.UNTAGGED_PUSH] if event in image_of]
        with transaction.atomic():
            if untagged:  # all locks at once: who holds one waits for no other
                leases.fence()
                free = late_history.lock_free({*image_of.values()})
                tagged = [(event, image) for event, image in tagged if image in free]
                untagged = [event for event in untagged if image_of[event] in free]
            recorded = self._record(tagged) if tagged else []
            if untagged:
                record_all_present({(image_of[event], event.digest) for event in untagged})
                count_untagged(*{image_of[event] for event in untagged})
                settled += untagged
            if settled:
                outcomes.done(settled, self._lease)
            if recorded:
                outcomes.applied(recorded, self._lease)
        done |= {event.pk for event in [*settled, *recorded]}

    def _record(self, pushes: Sequence[tuple[Event, Image]]) -> list[Event]:
        """Return those of which all is known now. Of the others the registry is asked whether it still holds them."""
        changes = [(image, handlers.tag_change(event, event.digest)) for event, image in pushes]
        unknown = late_history.record_changes(changes)
        drift.explain_all({(event.repository, event.tag, event.digest) for event, _image in pushes})
        return [event for (event, _image), asks in zip(pushes, unknown, strict=True) if not asks]

    def _read_manifests(self, wanted: Mapping[Event, ManifestRef]) -> set[ManifestRef]:
        """Return those of which everything is stored. What is not is read first, if the registry answers."""
        read = stored.fully_read(wanted.values())
        missing = {
            event: ref for event, ref in wanted.items() if ref not in read and event.pk in self._askable
        }
        if not missing or not self._registry_answers:
            return read
        self._lease.set_current_work(_work_unit(missing).packed())
        refs = list(dict.fromkeys(missing.values()))
        ends = time.monotonic() + settings.EVENT_TURN
        for start in range(0, len(refs), FETCHED_AT_ONCE):
            some = refs[start : start + FETCHED_AT_ONCE]
            self._registry_answers = refresh.store_manifests(some, self._registry, self._lease.keep_alive)
            if not self._registry_answers or time.monotonic() > ends:
                break
        self._lease.set_current_work("")
        return read | stored.fully_read(refs)

    def _confirm(self, events: Sequence[Event], done: set[int]) -> None:
        """Settle those whose tag still points where we believe. One that moved is left, and looked at by itself."""
        waiting = [event for event in events if handlers.kind_of(event) is Kind.CONFIRMATION]
        images = _images_of(waiting, create=False)
        image_of = {event: image for event in waiting if (image := _own_image(event, images))}
        if not image_of:
            return
        last = handlers.last_pushes(image_of)
        superseded = {event for event in image_of if event.pk < last[event.repository, event.tag]}
        asked = {
            event: image
            for event, image in image_of.items()
            if event not in superseded and event.pk in self._askable
        }
        unchanged = self._unchanged(asked) if asked and self._registry_answers else set()
        settled = [*superseded, *(event for event in asked if (event.repository, event.tag) in unchanged)]
        if settled:
            outcomes.done(settled, self._lease)
        done |= {event.pk for event in settled}

    def _unchanged(self, asked: Mapping[Event, Image]) -> set[TagRef]:
        """Ask about those tags of which nothing else is open: what was missing or unreadable, or has no manifest."""
        manifests = Manifest.objects.filter(digest__in={event.digest for event in asked})
        read = set(manifests.values_list("digest", flat=True))
        rows = Tag.objects.filter(any_of({(image, event.tag) for event, image in asked.items()}, "name"))
        rows = rows.filter(missing_since=None, unreadable_since=None)
        digests = {
            (image, tag): digest for image, tag, digest in rows.values_list("image", "name", "manifest")
        }
        known = {
            (event.repository, event.tag): digests[image.pk, event.tag]
            for event, image in asked.items()
            if event.digest in read and (image.pk, event.tag) in digests
        }
        self._lease.set_current_work(_work_unit(asked).packed())
        with self._registry.crawler() as crawler:
            unchanged = crawler.unchanged_tags(known, alive=self._lease.keep_alive)
            self._registry_answers = not crawler.away
        self._lease.set_current_work("")
        return unchanged


def _work_unit(events: Iterable[Event]) -> WorkUnit:
    ids = [event.pk for event in events]
    return WorkUnit(None, "", f"{_ITEM}{min(ids)}-{max(ids)}")


def _images_of(events: Sequence[Event], *, create: bool) -> dict[str, Image | None]:
    """Return repository → image, None for one in no account's namespace."""
    names = {event.repository for event in events}
    rows = Repository.objects.select_related("image__namespace__account").filter(name__in=names)
    found = {row.name: row.image for row in rows}
    if create:
        found |= {name: handlers.find_image(name, create=True) for name in names if not found.get(name)}
    return found


def _without_gaps(pushes: Iterable[Event], image_of: Mapping[Event, Image]) -> list[tuple[Event, Image]]:
    """Leave out all of a tag that follow one which is left: each tag's pushes are recorded in order of arrival."""
    found, left = list[tuple[Event, Image]](), set[TagRef]()
    for event in pushes:
        tag = event.repository, event.tag
        if event in image_of and tag not in left:
            found.append((event, image_of[event]))
        else:
            left.add(tag)
    return found


def _own_image(event: Event, images: Mapping[str, Image | None]) -> Image | None:
    """Return the image that it is about, None where that needs more thought."""
    image = images.get(event.repository)
    if not image or event.actor == PANEL_SUBJECT or handlers.predates(event, image.namespace.created_at):
        return None
    return image
