"""What a rule would do to an image now, from rows alone: for the dry run, and for the run itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from namespaces.models import NEVER, Descriptor, Image, PullStats, Tag
from registry_sync import heartbeats
from registry_sync.deletion import graph, unreadable
from registry_sync.deletion.impact import PlannedDeletion, deletable_without_harm, tags_left_behind
from registry_sync.models import Event, Marker, Repository, SyncRun
from registry_sync.retention.policy import (
    Decision,
    Knowledge,
    Rule,
    Tagged,
    VersionDecision,
    decide,
    versions_of,
)

CHUNK = 500  # a question's parameters are limited
TROUBLED = (SyncRun.State.FAILED, SyncRun.State.NEEDS_APPROVAL)


@dataclass(frozen=True)
class RetentionPreview:
    """What a rule would do to an image.

    `decisions`: one of each version, the last pushed first. `deleted`: manifests that go, in order, and what tools hung
    onto them; `left_behind`: tags about those at what stays, with their digests. `unread`: why nothing of this is done
    until somebody does something about it; "" when it is.
    """

    image: Image
    decisions: list[VersionDecision]
    deleted: tuple[PlannedDeletion, ...] = ()
    left_behind: tuple[tuple[str, str], ...] = ()
    unread: str = ""

    @property
    def gone(self) -> list[VersionDecision]:
        return [each for each in self.decisions if each.decision is not Decision.KEEP]

    @property
    def tags_gone(self) -> int:
        return sum(len(each.version.names) for each in self.gone)

    @property
    def tags_kept(self) -> int:
        return sum(len(each.version.names) for each in self.decisions if each.decision is Decision.KEEP)

    @property
    def untagged(self) -> list[tuple[str, str]]:
        """Tags that go by themselves, with their digests."""
        versions = [each.version for each in self.gone if each.decision is Decision.UNTAG]
        return [*((name, each.digest) for each in versions for name in each.names), *self.left_behind]


def of(
    rule: Rule, image: Image, now: datetime, *, alive: Callable[[], None] = lambda: None
) -> RetentionPreview:
    """`alive` is called while it lasts: an image may have 200,000 tags."""
    versions = versions_of(_tagged(image, image.tags.filter(technical=False), checked=rule.keep_checked))
    decisions = decide(rule, versions, now)
    alive()
    going = {each.version.digest for each in decisions if each.decision is Decision.DELETE}
    if not going:
        return RetentionPreview(image, decisions, unread=_unread_words(image))
    loaded = graph.load_graph(image, going, alive=alive)
    deleted = deletable_without_harm(loaded, going, alive=alive)
    whole = {each.digest for each in deleted}
    needed = going - whole
    return RetentionPreview(
        image,
        [
            replace(each, decision=Decision.UNTAG) if each.version.digest in needed else each
            for each in decisions
        ],
        deleted,
        tuple((tag, loaded.tags[tag]) for tag in tags_left_behind(loaded, whole)),
        _unread_words(image),
    )


def knowledge() -> Knowledge:
    ended = SyncRun.objects.exclude(finished_at=None)
    # Where not all could be read, the repositories that it was are in trouble (below), and the others are known.
    full = ended.filter(quick=False, state__in=(SyncRun.State.DONE, SyncRun.State.INCOMPLETE))
    good, last = full.first(), ended.first()
    return Knowledge(
        checked_at=good.finished_at if good else None,
        check_failed=bool(last and last.state in TROUBLED),
        # Pushes prove nothing: a registry may tell of them and be told to keep pulls to itself.
        pulls_at=heartbeats.last(Marker.PULLS),
        pulls_since=heartbeats.last(Marker.PULLS_SINCE),
    )


def trouble(image: Image) -> str:
    """Why nothing is certain about this image's tags now; "" when nothing speaks against it."""
    row = Repository.objects.filter(image=image).first()
    if row is None or row.missing_since:
        return "missing"
    if row.problem:
        return "problem"
    if row.tags_needing_approval:
        return "held"
    if Event.objects.filter(repository=row.name, applied_at=None).exclude(due_at=None).exists():
        return "events"
    return ""


def _unread_words(image: Image) -> str:
    found = unreadable.find(image)
    if not found:
        return ""
    words = _(
        "%(image)s is left out: %(what)s, cannot be read, so nobody knows what it needs. Delete it first."
    )
    return words % {"image": image.name, "what": found[0].text}


def _tagged(image: Image, tags: QuerySet[Tag], *, checked: bool) -> list[Tagged]:
    """Return them, the last pushed first."""
    pulled = _used(image, "last_at")
    checks = _used(image, "checked_at") if checked else {}
    rows_of_tags = PullStats.objects.filter(image=image, checks__gt=0).exclude(tag="").values_list("tag")
    checks_of_tags = dict(rows_of_tags.annotate(Max("checked_at"))) if checked else {}
    rows = tags.order_by(*Tag.NEWEST_FIRST)
    return [
        Tagged(
            row.name, row.manifest_id, row.pushed_at, row.first_seen_at,
            max(filter(None, (row.last_pulled_at, pulled.get(row.manifest_id))), default=None),
            row.missing_since is not None,
            max(filter(None, (checks_of_tags.get(row.name), checks.get(row.manifest_id))), default=None),
        )
        for row in rows.only("name", "manifest_id", "pushed_at", "first_seen_at", "pulled_at", "missing_since")
    ]  # fmt: skip


def _used(image: Image, at: str) -> dict[str, datetime]:
    """Digest → last pulled (or checked) directly, or one of the manifests that it lists, or that those list."""
    direct = PullStats.objects.filter(image=image, tag="", **{f"{at}__gt": NEVER})
    pulls = direct.values("digest").annotate(last=Max(at))
    found: dict[str, datetime] = dict(pulls.values_list("digest", "last"))
    fresh = set(found)
    while fresh:
        later, listed = set(), sorted(fresh)
        for start in range(0, len(listed), CHUNK):
            chunk = listed[start : start + CHUNK]
            lists = Descriptor.objects.filter(kind=Descriptor.Kind.MANIFEST, digest__in=chunk)
            for index, digest in lists.values_list("manifest_id", "digest"):
                if index not in found or found[index] < found[digest]:
                    found[index] = found[digest]
                    later.add(index)
        fresh = later
    return found
