"""What a rule would do to an image now, by the inventory alone: for the preview page, and for the run itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Max, QuerySet

from accounts.common.lazy_text import lazy as _
from namespaces.models import NEVER, Descriptor, Image, PullStats, Tag
from registry_sync import heartbeats
from registry_sync.deletion import freed_space, graph, unreadable
from registry_sync.deletion.freed_space import FreedSpace
from registry_sync.deletion.graph import PULLED_WITHIN
from registry_sync.deletion.impact import (
    DeletionGraph,
    PlannedDeletion,
    deletable_without_harm,
    tags_left_behind,
)
from registry_sync.models import Event, Marker, Repository, SyncRun
from registry_sync.retention.policy import (
    Decision,
    Evidence,
    Rule,
    TagState,
    VersionDecision,
    decide,
    versions_of,
)
from registry_sync.retention.summary import ReasonGroup, group_by_reason, removed_though_pulled

CHUNK_SIZE = 500  # a query's parameters are limited
FAILED_STATES = (SyncRun.State.FAILED, SyncRun.State.NEEDS_APPROVAL)


@dataclass(frozen=True)
class RetentionPreview:
    """What a rule would do to an image.

    `decisions`: one for each version, the latest pushed first. `deletions`: manifests to delete, in order, with their
    referrers. `left_behind`: (technical tag, digest) about a deleted manifest, at one that stays. `blocked_reason`: why
    the image is left out until somebody acts; "" when it is not. `around`: the manifests around those to delete.
    """

    image: Image
    decisions: list[VersionDecision]
    deletions: tuple[PlannedDeletion, ...] = ()
    left_behind: tuple[tuple[str, str], ...] = ()
    blocked_reason: str = ""
    around: DeletionGraph | None = None

    @property
    def removed(self) -> list[VersionDecision]:
        return [each for each in self.decisions if each.decision is not Decision.KEEP]

    @property
    def removed_tag_count(self) -> int:
        return sum(len(each.version.names) for each in self.removed)

    @property
    def kept_tag_count(self) -> int:
        return sum(len(each.version.names) for each in self.decisions if each.decision is Decision.KEEP)

    @property
    def untagged(self) -> list[tuple[str, str]]:
        """Return (tag, digest) of the tags that go while their manifests stay."""
        versions = [each.version for each in self.removed if each.decision is Decision.UNTAG]
        return [*((name, each.digest) for each in versions for name in each.names), *self.left_behind]


def preview_image(
    rule: Rule, image: Image, now: datetime, *, alive: Callable[[], None] = lambda: None
) -> RetentionPreview:
    """Return what the rule would do. `alive` is called while this lasts: an image may have 200,000 tags."""
    versions = versions_of(_tag_states(image, image.tags.filter(technical=False), checked=rule.keep_checked))
    decisions = decide(rule, versions, now)
    alive()
    candidates = {each.version.digest for each in decisions if each.decision is Decision.DELETE}
    if not candidates:
        return RetentionPreview(image, decisions, blocked_reason=_blocked_reason(image))
    loaded = graph.load_graph(image, candidates, alive=alive)
    deletions = deletable_without_harm(loaded, candidates, alive=alive)
    deleted = {each.digest for each in deletions}
    needed = candidates - deleted
    return RetentionPreview(
        image,
        [
            replace(each, decision=Decision.UNTAG) if each.version.digest in needed else each
            for each in decisions
        ],
        deletions,
        tuple((tag, loaded.tags[tag]) for tag in tags_left_behind(loaded, deleted)),
        _blocked_reason(image),
        loaded,
    )


def space_of(preview: RetentionPreview) -> FreedSpace:
    """Return what the registry's garbage collection frees afterwards."""
    if not preview.around:
        return FreedSpace()
    return freed_space.of_deletions(preview.image, preview.around, preview.deletions)


def groups_of(preview: RetentionPreview) -> list[ReasonGroup]:
    sizes = preview.image.tags.filter(technical=False).values_list("manifest_id", "manifest__size")
    return group_by_reason(preview.decisions, dict(sizes))


def removed_though_used(preview: RetentionPreview, now: datetime) -> list[VersionDecision]:
    """Return what the rule would remove though somebody pulled it within 30 days, the latest pulled first."""
    return removed_though_pulled(preview.decisions, now - PULLED_WITHIN)


def load_evidence() -> Evidence:
    finished = SyncRun.objects.exclude(finished_at=None)
    # Of an incomplete run only the repositories that could not be read are uncertain, see `is_uncertain`.
    full = finished.filter(quick=False, state__in=(SyncRun.State.DONE, SyncRun.State.INCOMPLETE))
    good, last = full.first(), finished.first()
    return Evidence(
        checked_at=good.finished_at if good else None,
        check_failed=bool(last and last.state in FAILED_STATES),
        # Push events prove nothing: a registry may be configured to send those, but no pulls.
        pulls_at=heartbeats.last(Marker.PULLS),
        pulls_since=heartbeats.last(Marker.PULLS_SINCE),
    )


def is_uncertain(image: Image) -> bool:
    """Return True when the inventory may not show the image's tags as they are now."""
    row = Repository.objects.filter(image=image).first()
    if row is None or row.missing_since or row.problem or row.tags_needing_approval:
        return True
    return Event.objects.filter(repository=row.name, applied_at=None).exclude(due_at=None).exists()


def _blocked_reason(image: Image) -> str:
    unread = unreadable.find(image)
    if not unread:
        return ""
    return _(
        "%(image)s is left out: %(what)s, cannot be read, so nobody knows what it needs. Delete it first.",
        image=image.name,
        what=unread[0].text,
    )


def _tag_states(image: Image, tags: QuerySet[Tag], *, checked: bool) -> list[TagState]:
    """Return their states, the latest pushed first."""
    pulled = _last_used(image, "last_at")
    checks = _last_used(image, "checked_at") if checked else {}
    checked_tags = PullStats.objects.filter(image=image, checks__gt=0).exclude(tag="").values_list("tag")
    checks_of_tags = dict(checked_tags.annotate(Max("checked_at"))) if checked else {}
    rows = tags.order_by(*Tag.NEWEST_FIRST)
    return [
        TagState(
            row.name, row.manifest_id, row.pushed_at, row.first_seen_at,
            max(filter(None, (row.last_pulled_at, pulled.get(row.manifest_id))), default=None),
            row.missing_since is not None,
            max(filter(None, (checks_of_tags.get(row.name), checks.get(row.manifest_id))), default=None),
        )
        for row in rows.only("name", "manifest_id", "pushed_at", "first_seen_at", "pulled_at", "missing_since")
    ]  # fmt: skip


def _last_used(image: Image, at: str) -> dict[str, datetime]:
    """Return digest → when it, or anything below it, was last pulled (or checked) by digest. `at`: a column."""
    direct = PullStats.objects.filter(image=image, tag="", **{f"{at}__gt": NEVER})
    pulls = direct.values("digest").annotate(last=Max(at))
    found: dict[str, datetime] = dict(pulls.values_list("digest", "last"))
    updated = set(found)
    while updated:
        later, listed = set(), sorted(updated)
        for start in range(0, len(listed), CHUNK_SIZE):
            chunk = listed[start : start + CHUNK_SIZE]
            lists = Descriptor.objects.filter(kind=Descriptor.Kind.MANIFEST, digest__in=chunk)
            for index, digest in lists.values_list("manifest_id", "digest"):
                if index not in found or found[index] < found[digest]:
                    found[index] = found[digest]
                    later.add(index)
        updated = later
    return found
