"""Garbage collection where the operator runs it: what to type, a check right before it, and what came of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts.common import clock
from accounts.principal import Principal
from namespaces.models import Manifest
from registry_sync.client import RegistryClient, RegistryError
from registry_sync.inventory import uncollected
from registry_sync.inventory.uncollected import UncollectedBlob
from registry_sync.models import Reclaim
from registry_sync.reclaim import facts, runs, texts, writes
from registry_sync.reclaim.refusals import refusals
from registry_sync.reclaim.walk import BLOBS, walk
from registry_sync.reclaim.writes import Writes

Say = Callable[[str], None]
ACCEPTS = (
    "The registry takes pushes: make it read-only and restart it. A push during garbage collection loses layers. "
    "REGISTRY_STORAGE in its environment, as for object storage, replaces what its configuration says of that: set "
    "REGISTRY_STORAGE_MAINTENANCE_READONLY='{enabled: true}' beside it."
)
REFUSES = (
    "The registry at %s refuses pushes, and nothing stands in the way. Others over the same storage are not asked: "
    "see to it that each of them is read-only, too."
)
SILENT = "The registry does not answer as one does; run manage.py doctor."
UNCHECKED = "No garbage collection was checked before: run manage.py reclaim, and follow its steps."


def plan(say: Say) -> bool:
    """Say what is known to wait, and what to do. Return False where it is refused."""
    for line in texts.known():
        say(line)
    say(
        "The registry may hold more that no image needs, which it does not tell: uploads without an image, say."
    )
    if reasons := refusals(facts.collect_facts(clock.now())):
        for line in texts.refused(reasons):
            say(line)
        return False
    say("It is safe. Run these, in this order:\n")
    say(texts.commands())
    return True


def check(registry: RegistryClient, say: Say, *, by: Principal) -> bool:
    """Return whether garbage collection may begin now; pages then say that it runs."""
    reasons = refusals(facts.collect_facts(clock.now()))
    taken = writes.ask(registry)
    if taken is not Writes.REFUSED:
        reasons.append(ACCEPTS if taken is Writes.TAKEN else SILENT)
    if reasons:
        for line in texts.refused(reasons):
            say(line)
        return False
    total, now = uncollected.total(), clock.now()
    row = runs.begin(by=by, blobs=total.blobs, size_bytes=total.size_bytes, now=now)
    row.collected_at = now
    runs.advance(row, Reclaim.State.COLLECTING, now=now, until=runs.BY_HAND_MAX)
    say(REFUSES % registry.url)
    return True


def verify(registry: RegistryClient, say: Say, alive: Callable[[], None], *, by: Principal) -> bool:
    """Say what is missing, and of what waited how much is gone. Return whether all is well."""
    row = Reclaim.objects.exclude(collected_at=None).order_by("-id").first()
    if not row:
        say(UNCHECKED)
        return False
    walked = walk(registry, alive)
    for line in texts.walked(walked):
        say(line)
    counted = _count(registry, uncollected.blobs(until=row.collected_at), alive)
    if counted.problem:
        walked.unanswered, walked.problem = walked.unanswered + 1, counted.problem
        say(
            f"Whether what was deleted is gone, the registry does not say ({counted.problem}). Run it again with "
            "--verify."
        )
    elif counted.waited or row.state != Reclaim.State.DONE:
        row.freed_bytes = counted.gone_bytes
        say(texts.outcome(row))
    if counted.left:
        say(
            f"{counted.left} blobs that nothing needs are still served. Did garbage collection run to its end, and was "
            "the registry restarted after it, its cache in Redis flushed?"
        )
    whole = not (counted.left or counted.problem)
    runs.finish(row, walked, by=by, now=clock.now(), whole=whole)
    taken = writes.ask(registry)
    if taken is not Writes.TAKEN:
        say("The registry is still read-only: nobody can push." if taken is Writes.REFUSED else SILENT)
    return whole and walked.complete and not walked.missing and taken is Writes.TAKEN


@dataclass(slots=True)
class _Counted:
    """Of the blobs that `waited`, those that the registry serves still are `left`; `problem`: why it did not say."""

    waited: int = 0
    gone_bytes: int = 0
    left: int = 0
    problem: str = ""


def _count(registry: RegistryClient, blobs: Iterable[UncollectedBlob], alive: Callable[[], None]) -> _Counted:
    """Manifests that were deleted it never serves, collected or not: they are gone when nothing else is left."""
    found, of_manifests = _Counted(), 0
    for blob in blobs:
        alive()
        found.waited += 1
        if Manifest.objects.filter(pk=blob.digest).exists():
            of_manifests += blob.size_bytes
            continue
        try:
            held = registry.holds(blob.repository, BLOBS, blob.digest)
        except RegistryError as error:
            found.problem = error.text
            return found
        found.left += held
        found.gone_bytes += 0 if held else blob.size_bytes
    found.gone_bytes += 0 if found.left else of_manifests
    return found
