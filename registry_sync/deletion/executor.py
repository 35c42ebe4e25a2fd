"""What is done to the registry: each act looks first, does one thing, and looks again.

Every act may be repeated from its beginning at any point, by another worker: what it finds done it does not do again.
"""

import secrets
from collections.abc import Callable

from django.utils import timezone

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
# What the manifest names is not there any more.
NOT_HELD = {"BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}


class Executor:
    """Over one image. `alive` keeps the worker's right to go on, or raises; it is called before each change."""

    def __init__(self, image: Image, registry: RegistryClient, alive: Callable[[], None]) -> None:
        self.image = image
        self.repository = image.repository
        self.registry = registry
        self.alive = alive
        self.looks = LiveTags(image, registry, alive)

    def untag(self, item: RemovalItem) -> Outcome:
        """Remove a tag alone. Raise Stopped, Failed, and RegistryError when it is to be tried again."""
        now = self._points_at(item.tag, known=item.digest)
        if now == item.digest:
            self._begin(item)
            self._remove_tag(item)
        elif self._ours(item, now):
            if not item.started_at:
                self._begin(item)
            self._delete_stand_in(item, now)
        elif now:
            raise Stopped(Outcome.TAG_MOVED, now)
        after = self._points_at(item.tag, known=item.digest)
        if self._ours(item, after):
            raise RegistryError("the registry still shows the tag that it said it deleted")
        if after:
            raise Stopped(Outcome.TAG_MOVED, after)  # somebody pushed it anew in between
        if not now and not item.started_at:
            return Outcome.ALREADY_GONE
        return Outcome.DONE if self._holds(item.digest) else Outcome.MANIFEST_LOST

    def delete(self, item: RemovalItem) -> Outcome:
        """Delete a manifest. Raise as `untag`."""
        if not self._holds(item.digest):
            return Outcome.DONE if item.started_at else Outcome.ALREADY_GONE
        held = self.looks.objections(item.digest, item.confirmed_dependents)
        if held:
            raise Stopped(Outcome.IN_USE, ", ".join(held))
        self._begin(item)
        try:
            self.registry.delete(self.repository, item.digest, sure=self.alive)
        except NotInRegistry:
            pass
        except Rejected as error:
            raise _failure(error) from error
        if self._holds(item.digest):
            raise RegistryError("the registry still answers with what it said it deleted")
        self.looks.forget(item.digest)
        return Outcome.DONE

    def restore(self, item: RemovalItem) -> Outcome:
        """Put a manifest back. Raise as `untag`."""
        if not item.tag:
            return self._restore_untagged(item)
        now = self._points_at(item.tag, known=item.digest)
        if now == item.digest:
            return Outcome.DONE if item.started_at else Outcome.ALREADY_GONE
        if now != item.expected_digest and not self._ours(item, now):
            raise Stopped(Outcome.TAG_MOVED, now)
        self._push(item, item.tag)
        if (after := self._points_at(item.tag, known=item.digest)) != item.digest:
            raise Stopped(Outcome.TAG_MOVED, after)
        return Outcome.DONE

    def _restore_untagged(self, item: RemovalItem) -> Outcome:
        if self._holds(item.digest):
            return Outcome.DONE if item.started_at else Outcome.ALREADY_GONE
        self._push(item, item.digest)
        if not self._holds(item.digest):
            raise RegistryError("the registry does not answer with what it said it took")
        return Outcome.DONE

    def _push(self, item: RemovalItem, reference: str) -> None:
        original = self._original(item.digest) or self._kept(item)
        if original is None:
            raise Failed(Outcome.NOT_FOUND)
        self._begin(item)
        try:
            self._put(reference, original.media_type, original.body)
        except Rejected as error:
            raise Failed(Outcome.NOT_FOUND) if error.codes & NOT_HELD else _failure(error) from error

    def _kept(self, item: RemovalItem) -> FetchedManifest | None:
        """Of what was deleted, the bytes that the panel has; the registry may still hold the layers."""
        row = (
            Manifest.objects.filter(digest=item.digest).first()
            if item.confirmed_dependents.get("kept")
            else None
        )
        return FetchedManifest(row.digest, row.media_type, row.body) if row and row.body else None

    def _points_at(self, tag: str, *, known: str) -> str:
        """Return what the tag points at in the registry now; "" for no such tag."""
        try:
            fetched = self.registry.manifest(self.repository, tag, known=known)
        except NotInRegistry:
            return ""
        return fetched.digest if fetched else known

    def _ours(self, item: RemovalItem, digest: str) -> bool:
        """Return True for a placeholder that was put under the item's tag, for this wish or an earlier one."""
        if not digest:
            return False
        wishes = RemovalItem.objects.filter(
            removal__image=self.image, tag=item.tag, placeholder_digest=digest
        )
        return digest == item.placeholder_digest or wishes.exists()

    def _holds(self, digest: str) -> bool:
        # Not conditionally: asked by digest, the registry answers 304 also for what it deleted.
        try:
            return self._original(digest) is not None
        except Schema1Unsupported:
            return True  # it cannot read it, and deletes it nevertheless

    def _original(self, digest: str) -> FetchedManifest | None:
        """None, and noted in the picture, when the registry holds it no more."""
        try:
            return self.registry.manifest(self.repository, digest)
        except NotInRegistry:
            refresh.refresh_digest(self.image, digest, self.registry)
            return None

    def _begin(self, item: RemovalItem) -> None:
        """Note what is begun. Raise Stopped when it was withdrawn meanwhile."""
        self.alive()
        item.started_at = item.started_at or timezone.now()
        waiting = RemovalItem.objects.filter(pk=item.pk, state=RemovalItem.State.WAITING)
        if not waiting.update(started_at=item.started_at):
            raise Stopped(Outcome.WITHDRAWN)

    def _remove_tag(self, item: RemovalItem) -> None:
        try:
            self.registry.delete(self.repository, item.tag, sure=self.alive)
        except NotInRegistry:
            return
        except Rejected as error:
            # 2.8 takes digests only, and says so; 405 may mean the same, or that nothing at all is deleted.
            if error.status not in (BAD_REQUEST, NOT_ALLOWED):
                raise _failure(error) from error
            self._replace_and_delete(item)

    def _replace_and_delete(self, item: RemovalItem) -> None:
        """Give the tag a digest of its own first: deleting its old digest would take every other tag of that."""
        if not item.placeholder_digest:
            item.nonce = secrets.token_hex(16)
            item.placeholder_digest = Placeholder(item.nonce).digest
            item.save(update_fields=["nonce", "placeholder_digest"])
        stand_in = Placeholder(item.nonce)
        self._prove_that_it_deletes(item.placeholder_digest)
        original = self._original(item.digest)
        if original is None:
            raise Stopped(Outcome.TAG_MOVED)
        try:
            self.registry.put_blob(self.repository, stand_in.config_digest, stand_in.config)
            # The longest way is behind us: once more, so that a push meanwhile is not overwritten.
            if (now := self._points_at(item.tag, known=item.digest)) != item.digest:
                raise Stopped(Outcome.TAG_MOVED, now)
            self._put(item.tag, MEDIA_TYPE, stand_in.manifest)
        except Rejected as error:
            raise _failure(error) from error
        self._delete_stand_in(item, item.placeholder_digest, original)

    def _prove_that_it_deletes(self, digest: str) -> None:
        """Asked to delete what it has not: a tag that points at a placeholder which cannot go would be a lost tag."""
        try:
            self.registry.delete(self.repository, digest)
        except NotInRegistry:
            return
        except Rejected as error:
            raise _failure(error) from error

    def _delete_stand_in(
        self, item: RemovalItem, stand_in: str, original: FetchedManifest | None = None
    ) -> None:
        try:
            self.registry.delete(self.repository, stand_in, sure=self.alive)
        except NotInRegistry:
            return
        except Rejected as error:
            original = original or self._original(item.digest)
            if original:
                self._put(item.tag, original.media_type, original.body)
            raise _failure(error) from error

    def _put(self, tag: str, media_type: str, body: bytes) -> None:
        self.registry.put_manifest(self.repository, tag, media_type, body, sure=self.alive)


def _failure(error: Rejected) -> Failed:
    if error.status != NOT_ALLOWED:
        return Failed(Outcome.REJECTED, str(error))
    # Read-only, the registry has no such route, and answers without a word of its own.
    return Failed(Outcome.DELETION_DISABLED if UNSUPPORTED in error.codes else Outcome.READ_ONLY)
