"""Writes how an item ended: inventory, audit log and item in one transaction, once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.principal import Kind, Principal
from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from namespaces.webhooks import outbox
from registry_sync.deletion.outcomes import Outcome
from registry_sync.deletion.placeholder import MEDIA_TYPE, Placeholder
from registry_sync.inventory.parser import parse
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import count_untagged, record_present, store_manifests, write_tag_changes
from registry_sync.leases import LeaseHandle
from registry_sync.models import Removal, RemovalItem

SKEW_MAX = timedelta(minutes=1)  # between the registry's clock and ours

ACTIONS = {
    Removal.Kind.UNTAG: AuditAction.TAG_REMOVED,
    Removal.Kind.DELETE: AuditAction.MANIFEST_DELETED,
    Removal.Kind.RESTORE: AuditAction.TAG_RESTORED,
}


@dataclass(frozen=True, slots=True)
class Recorder:
    """For one image, under its lease: a worker that lost the lease writes nothing more."""

    image: Image
    lease: LeaseHandle

    @transaction.atomic
    def done(self, item: RemovalItem, outcome: Outcome) -> None:
        """Record the item as done. Raise LeaseLost."""
        removal = item.removal
        self.lease.set_current_work("")
        if not self._finish(item, RemovalItem.State.DONE, outcome, ""):
            return
        before = self._tags_before(item)
        by_panel = outcome is not Outcome.ALREADY_GONE  # else it was done by somebody else
        match removal.kind:
            case Removal.Kind.UNTAG:
                self._change_tags(item, [item.tag], "", by_panel=by_panel)
                self._note_placeholder(item)
            case Removal.Kind.RESTORE if item.tag:
                self._change_tags(item, [item.tag], item.digest, by_panel=by_panel)
            case Removal.Kind.RESTORE:
                record_present(self.image, [item.digest])
                count_untagged(self.image)
            case Removal.Kind.DELETE:
                self._change_tags(item, before["tags"], "", by_panel=by_panel)
                rows = RepositoryManifest.objects.filter(image=self.image, manifest=item.digest, gone_at=None)
                rows.update(gone_at=timezone.now())
                count_untagged(self.image)
        if by_panel and not (removal.run_id or removal.purge_id):  # those are audited once, as a whole
            restored = removal.kind == Removal.Kind.RESTORE
            after = {"digest": item.digest} if restored else {}
            self._audit(item, before, ACTIONS[Removal.Kind(removal.kind)], after)

    @transaction.atomic
    def not_done(self, item: RemovalItem, state: RemovalItem.State, outcome: Outcome, detail: str) -> None:
        """Record the item as failed or stopped. Raise LeaseLost."""
        self.lease.set_current_work("")
        if self._finish(item, state, outcome, detail) and item.started_at:
            # The registry may still do it, so it is audited; also of a retention run, whose result (run_result.py)
            # names only what was seen done.
            self._audit(
                item,
                self._tags_before(item),
                AuditAction.REMOVAL_UNCONFIRMED,
                {"outcome": outcome.value, "begun": True},
            )

    def _note_placeholder(self, item: RemovalItem) -> None:
        """Note what the registry was given to remove the tag: deleted again, it waits for garbage collection."""
        if not item.placeholder_digest:
            return
        pushed = Placeholder(item.nonce)
        store_manifests([parse(pushed.manifest, MEDIA_TYPE, digest=pushed.digest)])
        gone = RepositoryManifest(image=self.image, manifest_id=pushed.digest, gone_at=timezone.now())
        RepositoryManifest.objects.bulk_create([gone], ignore_conflicts=True)

    def _finish(self, item: RemovalItem, state: RemovalItem.State, outcome: Outcome, detail: str) -> bool:
        waiting = RemovalItem.objects.filter(pk=item.pk, state=RemovalItem.State.WAITING)
        updated = waiting.update(state=state, outcome=outcome, detail=detail, finished_at=timezone.now())
        item.state, item.outcome = state, outcome
        return bool(updated)

    def _tags_before(self, item: RemovalItem) -> dict[str, list[str]]:
        tags = Tag.objects.filter(image=self.image, manifest=item.digest).values_list("name", flat=True)
        return {"tags": sorted({*tags, *item.confirmed_dependents.get("tags", ())})}

    def _change_tags(self, item: RemovalItem, tags: list[str], digest: str, *, by_panel: bool) -> None:
        now, by = timezone.now(), item.removal.requested_by if by_panel else ""
        digests = dict(Tag.objects.filter(image=self.image, name__in=tags).values_list("name", "manifest_id"))
        # A tag that was pushed again since points elsewhere, and is left alone.
        changes = [
            TagChange(tag, digest, now, by) for tag in tags if digest or digests.get(tag) == item.digest
        ]
        write_tag_changes(
            self.image, changes, how=TagHistoryEntry.How.PANEL if by_panel else TagHistoryEntry.How.FOUND
        )
        if by_panel:
            self._attribute(item, tags, digest)

    def _attribute(self, item: RemovalItem, tags: list[str], digest: str) -> None:
        """Name the requester in history entries that an event or a sync wrote first, without knowing who it was."""
        if not item.started_at:
            return
        old = {} if digest else {"old": item.digest}
        for tag in tags:
            entries = TagHistoryEntry.objects.filter(
                image=self.image, tag=tag, new=digest, by="", at__gte=item.started_at - SKEW_MAX, **old
            )
            last = entries.exclude(how=TagHistoryEntry.How.PANEL).order_by("-id").values("pk")[:1]
            ids = list(last.values_list("pk", flat=True))
            made_here = TagHistoryEntry.objects.filter(pk__in=ids)
            made_here.update(by=item.removal.requested_by, how=TagHistoryEntry.How.PANEL)
            if ids and self.image.namespace.account.has_webhooks:
                outbox.record_moves([], [self._with_image(each) for each in made_here])

    def _with_image(self, entry: TagHistoryEntry) -> TagHistoryEntry:
        entry.image = self.image
        return entry

    def _audit(
        self, item: RemovalItem, before: dict[str, list[str]], action: AuditAction, after: dict[str, Any]
    ) -> None:
        removal = item.removal
        kind = Removal.Kind(removal.kind)
        short = item.digest.rpartition(":")[2][:12]
        name = f":{item.tag}" if item.tag else f"@{short}"
        tags = {"tags": ", ".join(before["tags"])} if kind is Removal.Kind.DELETE and before["tags"] else {}
        digest = item.expected_digest if kind is Removal.Kind.RESTORE else item.digest
        audit.record(
            by=requester(removal), action=action, kind="image", id=self.image.pk,
            label=f"{self.image.repository}{name}", account=self.image.namespace.account,
            before={"digest": digest} | tags, after=after,
        )  # fmt: skip


def requester(removal: Removal) -> Principal:
    kind = Kind.PERSON if removal.requested_by_id else Kind.SYSTEM
    return Principal(
        kind=kind, id=removal.requested_by_id, label=removal.requested_by, address=removal.address or ""
    )
