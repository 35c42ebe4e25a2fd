"""What a rule would do to an image now, from rows alone: for the dry run, and for the run itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from namespaces.models import Image, Part, Pull, Tag
from registry_sync import heartbeat
from registry_sync.models import Event, Heartbeat, Repository, SyncRun
from registry_sync.removal import facts
from registry_sync.removal.impact import Going, without_harm
from registry_sync.removal.retention import Decision, Fate, Knowledge, Rule, Version, decide

CHUNK = 500  # a question's parameters are limited
TROUBLED = (SyncRun.State.FAILED, SyncRun.State.HELD)


@dataclass(frozen=True)
class Forecast:
    """`deleted`: manifests that go, in order; a tag that goes and is in none of them is only untagged."""

    image: Image
    decisions: list[Decision]
    deleted: tuple[Going, ...]

    @property
    def gone(self) -> list[Decision]:
        return [each for each in self.decisions if each.fate is not Fate.KEEP]

    @property
    def kept(self) -> int:
        return len(self.decisions) - len(self.gone)

    @property
    def untagged(self) -> list[Decision]:
        whole = {each.digest for each in self.deleted}
        return [each for each in self.gone if each.version.digest not in whole]


def of(rule: Rule, image: Image, now: datetime, *, alive: Callable[[], None] = lambda: None) -> Forecast:
    """`alive` is called while it lasts: an image may have 200,000 tags."""
    decisions = decide(rule, _versions(image), now)
    alive()
    going = {each.version.digest for each in decisions if each.fate is Fate.GO}
    around = facts.around(image, going, alive=alive)
    deleted = without_harm(around, going, alive=alive) if going else ()
    return Forecast(image, decisions, deleted)


def knowledge() -> Knowledge:
    ended = SyncRun.objects.exclude(finished_at=None)
    # Where not all could be read, the repositories that it was are in trouble (below), and the others are known.
    full = ended.filter(names_only=False, state__in=(SyncRun.State.DONE, SyncRun.State.INCOMPLETE))
    good, last = full.first(), ended.first()
    return Knowledge(
        checked_at=good.finished_at if good else None,
        check_failed=bool(last and last.state in TROUBLED),
        # Pushes prove nothing: a registry may tell of them and be told to keep pulls to itself.
        pulls_at=heartbeat.last(Heartbeat.PULLS),
        pulls_since=heartbeat.last(Heartbeat.PULLS_SINCE),
    )


def trouble(image: Image) -> str:
    """Why nothing is certain about this image's tags now; "" when nothing speaks against it."""
    row = Repository.objects.filter(image=image).first()
    if row is None or row.missing_since:
        return "missing"
    if row.problem:
        return "problem"
    if Event.objects.filter(repository=row.name, applied_at=None).exclude(due_at=None).exists():
        return "events"
    return ""


def _versions(image: Image) -> list[Version]:
    """The last pushed first."""
    by_digest = _pulled(image)
    rows = Tag.objects.filter(image=image).order_by("-pushed_at", "-id")
    return [
        Version(
            row.name, row.manifest_id, row.pushed_at, row.first_seen_at,
            max(filter(None, (row.last_pulled_at, by_digest.get(row.manifest_id))), default=None),
            row.technical, row.missing_since is not None,
        )
        for row in rows.only(
            "name", "manifest_id", "pushed_at", "first_seen_at", "pulled_at", "technical", "missing_since"
        )
    ]  # fmt: skip


def _pulled(image: Image) -> dict[str, datetime]:
    """Digest → last pulled directly, or one of the manifests that it lists, or that those list."""
    pulls = Pull.objects.filter(image=image, tag="").values("digest").annotate(last=Max("last_at"))
    found: dict[str, datetime] = dict(pulls.values_list("digest", "last"))
    fresh = set(found)
    while fresh:
        later, listed = set(), sorted(fresh)
        for start in range(0, len(listed), CHUNK):
            chunk = listed[start : start + CHUNK]
            lists = Part.objects.filter(kind=Part.Kind.MANIFEST, digest__in=chunk)
            for index, digest in lists.values_list("manifest_id", "digest"):
                if index not in found or found[index] < found[digest]:
                    found[index] = found[digest]
                    later.add(index)
        fresh = later
    return found
