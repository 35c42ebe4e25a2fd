"""Changes the registry: each step checks first, does one thing, and checks again.

Another worker may repeat a step from its beginning at any point: what is done already is not done again.
"""

import secrets
from collections.abc import Callable
from functools import cached_property

from django.utils import timezone

from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import verbatim
from namespaces.models import Image, Manifest
from registry_sync.client import (
    FetchedManifest,
    NotInRegistry,
    RegistryClient,
    RegistryError,
    Rejected,
    Schema1Unsupported,
)
from registry_sync.deletion.live_tags import LiveTags
from registry_sync.deletion.outcomes import Failed, Outcome, Stopped
from registry_sync.deletion.placeholder import MEDIA_TYPE, Placeholder
from registry_sync.inventory import refresh
from registry_sync.models import RemovalItem

BAD_REQUEST, NOT_ALLOWED = 400, 405
UNSUPPORTED = "UNSUPPORTED"
# Answers to a manifest that names blobs or manifests which are no longer there.
UNKNOWN_CONTENT = {"BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}


class Executor:
    """For one image. `alive` renews the lease, or raises LeaseLost; it is called before each change."""

    def __init__(self, image: Image, registry: RegistryClient, alive: Callable[[], None]) -> None:
        self.image = image
        self.repository = image.repository
        self.registry = registry
        self.alive = alive

    @cached_property
    def live_tags(self) -> LiveTags:
        return LiveTags(self.image, self.registry, self.alive)

    def untag(self, item: RemovalItem) -> Outcome:
        """Remove the tag alone. Raise Stopped, Failed, or RegistryError when it is worth another try."""
        digest_now = self._points_at(item.tag, known=item.digest)
        if digest_now == item.digest:
            self._begin(item)
            self._remove_tag(item)
        elif self._is_placeholder(item, digest_now):
            if not item.started_at:
                self._begin(item)
            self._delete_placeholder(item, digest_now)
        elif digest_now:
            raise Stopped(Outcome.TAG_MOVED, digest_now)
        digest_after = self._points_at(item.tag, known=item.digest)
        if self._is_placeholder(item, digest_after):
            raise RegistryError(_("the registry still shows the tag that it said it deleted"))
        if digest_after:
            raise Stopped(Outcome.TAG_MOVED, digest_after)  # somebody pushed it again meanwhile
        if not digest_now and not item.started_at:
            return Outcome.ALREADY_GONE
        return Outcome.DONE if self._holds(item.digest) else Outcome.MANIFEST_LOST

    def delete(self, item: RemovalItem) -> Outcome:
        """Delete the manifest. Raise as `untag`."""
        if not self._holds(item.digest):
            return Outcome.DONE if item.started_at else Outcome.ALREADY_GONE
        needed_by = self.live_tags.objections(item.digest, item.confirmed_dependents)
        if needed_by:
            raise Stopped(Outcome.IN_USE, verbatim(", ".join(needed_by)))
        self._begin(item)
        try:
            self.registry.delete(self.repository, item.digest, before_sending=self.alive)
        except NotInRegistry:
            pass
        except Rejected as error:
            raise _failed(error) from error
        if self._holds(item.digest):
            raise RegistryError(_("the registry still answers with what it said it deleted"))
        self.live_tags.forget(item.digest)
        return Outcome.DONE

    def restore(self, item: RemovalItem) -> Outcome:
        """Push the manifest again, under its tag if it had one. Raise as `untag`."""
        if not item.tag:
            return self._restore_untagged(item)
        digest_now = self._points_at(item.tag, known=item.digest)
        if digest_now == item.digest:
            return Outcome.DONE if item.started_at else Outcome.ALREADY_GONE
        if digest_now != item.expected_digest and not self._is_placeholder(item, digest_now):
            raise Stopped(Outcome.TAG_MOVED, digest_now)
        self._push(item, item.tag)
        if (digest_after := self._points_at(item.tag, known=item.digest)) != item.digest:
            raise Stopped(Outcome.TAG_MOVED, digest_after)
        return Outcome.DONE

    def _restore_untagged(self, item: RemovalItem) -> Outcome:
        if self._holds(item.digest):
            return Outcome.DONE if item.started_at else Outcome.ALREADY_GONE
        self._push(item, item.digest)
        if not self._holds(item.digest):
            raise RegistryError(_("the registry does not answer with what it said it took"))
        return Outcome.DONE

    def _push(self, item: RemovalItem, reference: str) -> None:
        original = self._original(item.digest) or self._stored(item)
        if original is None:
            raise Failed(Outcome.NOT_FOUND)
        self._begin(item)
        try:
            self._put(reference, original.media_type, original.body)
        except Rejected as error:
            raise Failed(Outcome.NOT_FOUND) if error.codes & UNKNOWN_CONTENT else _failed(error) from error

    def _stored(self, item: RemovalItem) -> FetchedManifest | None:
        """Return the deleted manifest as the panel stored it; the registry may still hold its layers."""
        row = (
            Manifest.objects.filter(digest=item.digest).first()
            if item.confirmed_dependents.get("kept")
            else None
        )
        return FetchedManifest(row.digest, row.media_type, row.body) if row and row.body else None

    def _points_at(self, tag: str, *, known: str) -> str:
        """Return the digest that the tag points at in the registry now; "" for no such tag."""
        try:
            fetched = self.registry.manifest(self.repository, tag, known=known)
        except NotInRegistry:
            return ""
        return fetched.digest if fetched else known

    def _is_placeholder(self, item: RemovalItem, digest: str) -> bool:
        """Return True for a placeholder that this removal, or an earlier one, pushed under the item's tag."""
        if not digest:
            return False
        items = RemovalItem.objects.filter(removal__image=self.image, tag=item.tag, placeholder_digest=digest)
        return digest == item.placeholder_digest or items.exists()

    def _holds(self, digest: str) -> bool:
        # No conditional request: asked by digest, the registry answers 304 also for what it deleted.
        try:
            return self._original(digest) is not None
        except Schema1Unsupported:
            return True  # the client cannot read it, but the registry can delete it

    def _original(self, digest: str) -> FetchedManifest | None:
        """Return the manifest; None, noted in the inventory, when the registry no longer holds it."""
        try:
            return self.registry.manifest(self.repository, digest)
        except NotInRegistry:
            refresh.refresh_digest(self.image, digest, self.registry)
            return None

    def _begin(self, item: RemovalItem) -> None:
        """Store that the item is started. Raise Stopped when it was withdrawn meanwhile."""
        self.alive()
        item.started_at = item.started_at or timezone.now()
        waiting = RemovalItem.objects.filter(pk=item.pk, state=RemovalItem.State.WAITING)
        if not waiting.update(started_at=item.started_at):
            raise Stopped(Outcome.WITHDRAWN)

    def _remove_tag(self, item: RemovalItem) -> None:
        try:
            self.registry.delete(self.repository, item.tag, before_sending=self.alive)
        except NotInRegistry:
            return
        except Rejected as error:
            # 2.8 takes digests only, and says so; 405 may mean the same, or that nothing at all is deleted.
            if error.status not in (BAD_REQUEST, NOT_ALLOWED):
                raise _failed(error) from error
            self._replace_and_delete(item)

    def _replace_and_delete(self, item: RemovalItem) -> None:
        """Point the tag at a placeholder, then delete that: deleting the old digest would take its other tags too."""
        if not item.placeholder_digest:
            item.nonce = secrets.token_hex(16)
            item.placeholder_digest = Placeholder(item.nonce).digest
            item.save(update_fields=["nonce", "placeholder_digest"])
        placeholder = Placeholder(item.nonce)
        self._check_deletion_allowed(item.placeholder_digest)
        original = self._original(item.digest)
        if original is None:
            raise Stopped(Outcome.TAG_MOVED)
        try:
            self.registry.put_blob(self.repository, placeholder.config_digest, placeholder.config)
            # The slow part is done: check once more, so that a push meanwhile is not overwritten.
            if (digest_now := self._points_at(item.tag, known=item.digest)) != item.digest:
                raise Stopped(Outcome.TAG_MOVED, digest_now)
            self._put(item.tag, MEDIA_TYPE, placeholder.manifest)
        except Rejected as error:
            raise _failed(error) from error
        self._delete_placeholder(item, item.placeholder_digest, original)

    def _check_deletion_allowed(self, digest: str) -> None:
        """Ask to delete what does not exist: where deletion is off, a placeholder would stay under the tag for good."""
        try:
            self.registry.delete(self.repository, digest)
        except NotInRegistry:
            return
        except Rejected as error:
            raise _failed(error) from error

    def _delete_placeholder(
        self, item: RemovalItem, placeholder: str, original: FetchedManifest | None = None
    ) -> None:
        try:
            self.registry.delete(self.repository, placeholder, before_sending=self.alive)
        except NotInRegistry:
            return
        except Rejected as error:
            original = original or self._original(item.digest)
            if original:
                self._put(item.tag, original.media_type, original.body)
            raise _failed(error) from error

    def _put(self, tag: str, media_type: str, body: bytes) -> None:
        self.registry.put_manifest(self.repository, tag, media_type, body, before_sending=self.alive)


def _failed(error: Rejected) -> Failed:
    if error.status != NOT_ALLOWED:
        return Failed(Outcome.REJECTED, error.text)
    # Read-only, the registry has no such route, and answers without a word of its own.
    return Failed(Outcome.DELETION_DISABLED if UNSUPPORTED in error.codes else Outcome.READ_ONLY)
