"""`manage.py reclaim` where `make run` keeps the registry: everything, in order, and writable again however it ends."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import DatabaseError

from accounts.common import clock
from accounts.common.lazy_text import lazy as _
from accounts.principal import Principal
from manager.standalone.collection import CollectionError, Collector
from registry_sync import jobs, registry_probe
from registry_sync.models import Reclaim
from registry_sync.reclaim import facts, runs, texts
from registry_sync.reclaim.gc_output import Eligible
from registry_sync.reclaim.refusals import ReclaimFacts, deletions_refusal, refusals
from registry_sync.reclaim.walk import walk
from registry_sync.reclaim.writes import Writes
from registry_sync.reconcile import run as checks

POLL_SECONDS = 1
CHECK_SECONDS = 60  # that a check of the registry may take where somebody does not want to wait
CHECKING = "A check of the registry is under way, and would be broken off. Run it again when it is done."
READ_ONLY_ALREADY = (
    "The registry does not take pushes now: it does not answer, or is read-only already. A garbage collection whose "
    "command was killed may still run; the registry becomes writable when that has ended."
)
State = Reclaim.State


class Refused(Exception):
    """It is not safe, or nothing can be said. `reasons` are sentences."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(slots=True)
class Reclaiming:
    """One call of the command. `wait_seconds`: how long pushes and deletions may take, before it gives up."""

    collector: Collector
    alive: runs.Alive
    say: Callable[[str], None]
    by: Principal
    wait_seconds: float
    _wait_ends: float = field(init=False, default=0)

    def plan(self) -> tuple[Eligible, dict[str, int]]:
        """Return what goes, with the bytes of each blob. Raise Refused, and CollectionError."""
        version, untagged = self.collector.version(), self.collector.delete_untagged
        # Before the registry is asked: 3.x ends at an image of schema 1.
        _need(facts.collect_facts(clock.now(), version=version, delete_untagged=untagged))
        eligible, needed = eligible_and_needed(self.collector.plan, self.alive)
        _need(ReclaimFacts(version=version, delete_untagged=untagged, needed=needed))
        return eligible, self.collector.promised(eligible)

    def run(self) -> bool:
        """Return whether all went as promised. Raise Refused before anything was changed, and CollectionError."""
        if not self.collector.wait_until_writes_are(Writes.TAKEN):
            raise Refused(READ_ONLY_ALREADY)
        self._wait_ends = time.monotonic() + (self.wait_seconds or CHECK_SECONDS)
        if self.wait_seconds and _deletions():
            self.say("Waiting for deletions to end …")
            self._wait_while(_deletions)  # what they free is promised, too
        _eligible, promised = self.plan()
        if not promised:
            self.say("Nothing waits for garbage collection.")
            return True
        row = runs.begin(by=self.by, blobs=len(promised), size_bytes=sum(promised.values()), now=clock.now())
        why = _("The command was ended.")
        try:
            return self._carry_out(row)
        except (CollectionError, Refused) as error:
            why = _("It was stopped: %(why)s", why=str(error))
            raise
        finally:
            if row.state in Reclaim.OPEN:
                with suppress(DatabaseError):
                    self._stop(row, why)

    def _stop(self, row: Reclaim, why: str) -> None:
        if row.state != State.PREPARING:
            # It restarts now: as long as garbage is said to be collected, nobody is alarmed by that.
            self.collector.wait_until_writes_are(Writes.TAKEN)
            registry_probe.probe(self.collector.registry, clock.now())
        self.alive.announcing = False
        runs.stop(row, why, now=clock.now())
        self.say(row.problem)

    def _carry_out(self, row: Reclaim) -> bool:
        self._prepare(row)
        with self.collector.read_only() as pipe:
            eligible, promised = self.plan()  # once more: what was pushed or deleted since is in it
            row.promised_bytes, row.promised_blobs = sum(promised.values()), len(promised)
            before, row.collected_at = self.collector.stored_bytes(), clock.now()
            self._advance(row, State.COLLECTING)
            self.collector.collect(pipe)
            row.freed_bytes = before - self.collector.stored_bytes()
            self._advance(row, State.WRITABLE)
        if not self.collector.wait_until_writes_are(Writes.TAKEN):
            raise CollectionError("The registry did not become writable again; restart `make run`.")
        registry_probe.probe(self.collector.registry, clock.now())
        self.say(texts.outcome(row))
        self._advance(row, State.CHECKING)
        runs.note_untagged_gone(eligible.manifests, at=row.collected_at)
        walked = walk(self.collector.registry, self.collector.alive)
        for line in texts.walked(walked):
            self.say(line)
        runs.finish(row, walked, by=self.by, now=clock.now())
        # An event that the registry had not sent yet was lost when it was restarted.
        jobs.request_sync(by=self.by)
        return walked.complete and not walked.missing and row.freed_bytes == row.promised_bytes

    def _prepare(self, row: Reclaim) -> None:
        """Wait until nobody pushes, nothing is left to delete and no check is under way.

        From then on the worker lets deletions and checks wait.
        """
        waited_for = (_deletions, _check) if self.wait_seconds else (_check,)
        while True:
            self._advance(row, State.PREPARING)
            if self.wait_seconds:
                self._wait_while(self._pushes)
            for obstacle in waited_for:
                self._wait_while(obstacle)
            self._advance(row, State.READ_ONLY)
            if not any(obstacle() for obstacle in waited_for):  # none was begun in between
                return

    def _advance(self, row: Reclaim, state: Reclaim.State) -> None:
        self.alive.announcing = state != State.PREPARING
        runs.advance(row, state, now=clock.now())
        self.say(f"{state.label} …")

    def _pushes(self) -> str:
        if not (pushing := self.collector.uploads()):
            return ""
        return (
            f"Somebody pushes to {', '.join(pushing[:3])}. Try again later, or with --wait 0: then the push is broken "
            "off, and its client says so."
        )

    def _wait_while(self, obstacle: Callable[[], str]) -> None:
        """Wait until there is none, a sentence that says what to do. Raise Refused with it when it takes too long."""
        while found := obstacle():
            if time.monotonic() > self._wait_ends:
                raise Refused(found)
            self.collector.alive()
            time.sleep(POLL_SECONDS)


def eligible_and_needed(
    ask: Callable[[], Eligible], alive: Callable[[], None]
) -> tuple[Eligible, tuple[str, ...]]:
    """Return what the registry would delete, and what of that the inventory needs, as repository@digest.

    What is pushed after the registry has looked for what is in use, and before it looks at what there is, seems to be
    in use by nothing. It asks again, then: what is needed is named both times.
    """
    eligible = ask()
    needed = facts.first_needed(eligible, alive)
    if needed:
        eligible = ask()
        needed = tuple(each for each in facts.first_needed(eligible, alive) if each in needed)
    return eligible, needed


def _check() -> str:
    return CHECKING if checks.is_at_work(clock.now()) else ""


def _deletions() -> str:
    under_way = facts.deletions_under_way()
    return deletions_refusal(under_way) if under_way else ""


def _need(known: ReclaimFacts) -> None:
    if reasons := refusals(known):
        raise Refused(*reasons)
