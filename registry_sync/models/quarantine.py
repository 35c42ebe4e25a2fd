from django.db import models
from django.utils import timezone

from accounts.models import Account


class Spot(models.Model):
    """Something that a worker is at: an item of a repository.

    With `item` empty, the repository; with both, all of the account's. Without an account: what is in no namespace.
    """

    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="+")
    repository = models.CharField(max_length=255, default="")
    item = models.CharField(max_length=200, default="")  # a digest, a tag, or what was to be done with it

    class Meta:
        abstract = True


class WorkerCrash(Spot):
    """A worker that began with this and did not end: it was killed, or hung. Gone when somebody else ended it."""

    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.repository} {self.item}".strip()


class QuarantinedWork(Spot):
    """Left alone, because workers crashed on it; tried again after a time, or when an operator says so."""

    quarantined_at = models.DateTimeField(default=timezone.now)
    crash_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        if not self.repository and self.account:
            return self.account.handle
        return f"{self.repository} {self.item}".strip()
