"""When the installation was backed up, and when it came out of a backup (docs/backup.md)."""

from django.db import models


class Backup(models.Model):
    """One that `manage.py backup` completed. Not in itself: it is written afterwards."""

    class Keys(models.TextChoices):
        NONE = "none"
        FILE = "file"  # in a file of their own, which anybody can read who gets it
        ENCRYPTED = "encrypted"

    at = models.DateTimeField()
    by = models.CharField(max_length=254)  # the system user and the machine
    file = models.CharField(max_length=400)
    version = models.CharField(max_length=40)
    row_count = models.PositiveBigIntegerField()
    byte_count = models.PositiveBigIntegerField()
    keys = models.CharField(max_length=9, choices=Keys.choices)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"backup of {self.at}"


class Restoration(models.Model):
    """The rows came out of a backup: what people did between `backup_at` and `at` is not in them.

    The counts say what was made void or turned off, because nobody knows whether it had been used or withdrawn.
    """

    at = models.DateTimeField()
    by = models.CharField(max_length=254)
    backup_at = models.DateTimeField()
    backup_version = models.CharField(max_length=40)
    # Everything was stopped before the backup was made: nothing was lost, and nothing was made void.
    moved = models.BooleanField(default=False)
    invitation_count = models.PositiveIntegerField(default=0)
    recovery_code_count = models.PositiveIntegerField(default=0)  # people who had some
    removal_count = models.PositiveIntegerField(default=0)  # requests
    rule_count = models.PositiveIntegerField(default=0)
    delivery_count = models.PositiveIntegerField(default=0)  # of webhooks

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"restored from the backup of {self.backup_at}"
