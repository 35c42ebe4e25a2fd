"""What became of an image: the manifests it has held, each move of its tags, and who pulled."""

from datetime import datetime

from django.db import models
from django.utils import timezone

from accounts.models.client_field import ClientField
from namespaces.models.image import Image
from namespaces.models.manifest import Manifest
from namespaces.models.stored_bytes import StoredBytes
from namespaces.models.tag import NEVER


class RepositoryManifest(models.Model):
    """A manifest that the registry holds in an image's repository, under a tag, in an index, or untagged."""

    image = models.ForeignKey(
        Image, on_delete=models.CASCADE, related_name="repository_manifests", db_index=False
    )
    manifest = models.ForeignKey(
        Manifest, on_delete=models.PROTECT, related_name="repository_manifests", db_index=False
    )
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    # When the registry said, asked for just this, that it has it not.
    gone_at = models.DateTimeField(null=True)
    # When garbage collection had freed what it alone held; void once the manifest is back.
    collected_at = models.DateTimeField(null=True, editable=False)
    # When it is to be read again, because its config, or a manifest that it lists, did not come from this repository.
    due_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "manifest"], name="repository_manifest_once")]
        indexes = [
            models.Index(fields=["manifest"], name="repository_manifest_by_digest"),
            models.Index(fields=["due_at"], name="repository_manifest_due", condition=~models.Q(due_at=None)),
            models.Index(
                fields=["gone_at"], name="repository_manifest_gone", condition=~models.Q(gone_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image}@{self.manifest_id}"


class FormerManifest(models.Model):
    """What the repository of an image holds, or waits to lose, after the image's rows were deleted with its namespace.

    `gone_at` None: the registry still holds it. Rows go when garbage collection has freed what they held.
    """

    account_id = models.BigIntegerField(db_index=True)  # of the deleted namespace
    repository = models.CharField(max_length=255)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="+")
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "manifest"], name="former_manifest_once")
        ]

    def __str__(self) -> str:
        return f"{self.repository}@{self.manifest_id}"


class TagHistoryEntry(models.Model):
    """A tag that came, pointed elsewhere, or went.

    In order of `at`: what is told late takes its place among others. What an open page has not seen is above an `id`.
    """

    class How(models.TextChoices):
        EVENT = "event"  # the registry told
        FOUND = "found"  # a reconcile found it
        PANEL = "panel"  # done here, by a person or a rule

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="tag_history", db_index=False)
    tag = models.CharField(max_length=128)
    old = models.CharField(max_length=140, default="")  # digest; "" when it came
    new = models.CharField(max_length=140, default="")  # digest; "" when it went
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=254, default="")  # username, or person; "" when nobody told
    how = models.CharField(max_length=5, choices=How.choices)

    class Meta:
        indexes = [
            models.Index(fields=["image", "-id"], name="history_by_image"),
            models.Index(fields=["image", "-at", "-id"], name="history_by_moment"),
            models.Index(fields=["image", "tag", "-at", "-id"], name="history_by_tag_moment"),
            models.Index(fields=["by", "-at"], name="history_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.image}:{self.tag} {self.old or '–'} → {self.new or '–'}"


class PullStats(models.Model):
    """How often a user pulled a tag, or (`tag` empty) a digest directly, and when last; and how often it only looked.

    What counts as which: docs/operations.md, "What a pull is".
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="pull_stats")
    tag = models.CharField(max_length=128, default="")
    digest = models.CharField(max_length=140, default="")  # what was pulled last; the key when `tag` is empty
    username = models.CharField(max_length=40, default="")  # "" anonymous
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()  # NEVER: it only looked
    checks = models.PositiveBigIntegerField(default=0, db_default=0)
    checked_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=64, default="")
    client = ClientField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "tag", "username"], condition=~models.Q(tag=""), name="pull_of_tag_once"
            ),
            models.UniqueConstraint(
                fields=["image", "digest", "username"], condition=models.Q(tag=""), name="pull_of_digest_once"
            ),
        ]
        indexes = [models.Index(fields=["username", "-last_at"], name="pull_by_user")]

    @property
    def pulled_at(self) -> datetime | None:
        return None if self.last_at == NEVER else self.last_at

    def __str__(self) -> str:
        return f"{self.image}:{self.tag or self.digest} by {self.username or 'anonymous'}"


class Usage(StoredBytes):
    """What was in the registry on a day: of an account, of a namespace, or of all accounts together.

    Of all together no deletion of anybody is left out, and what several accounts hold counts once.
    """

    account_id = models.BigIntegerField(db_index=True)  # EVERYBODY: of all together
    namespace_id = models.BigIntegerField(default=0)  # 0: of the whole account
    day = models.DateField()
    counted_at = models.DateTimeField(null=True)

    EVERYBODY = 0

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account_id", "namespace_id", "day"], name="usage_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.stored_bytes}"
