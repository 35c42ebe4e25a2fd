from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.client_field import ClientField
from accounts.models.registry_user import RegistryUser
from accounts.models.trust_policy import TrustPolicy


class Secrets(models.QuerySet["Secret"]):
    def live(self, now: datetime) -> "Secrets":
        """Return those that work. The token server's statement says the same (registry_sync/tokens/queries.py)."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), Q(retires_at=None) | Q(retires_at__gt=now)
        )

    def unswapped(self) -> "Secrets":
        """Return those that were made for people, and not for a job in place of its ID token."""
        return self.filter(policy=None)

    def lasting(self, until: datetime) -> "Secrets":
        """Return those that still work after that moment, if they are used meanwhile (`last_end`)."""
        retires_by_use = Q(retire_after_unused_days__isnull=False)
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=until),
            retires_by_use | Q(retires_at=None) | Q(retires_at__gt=until),
        )


class Secret(models.Model):
    """One password of a user. Only its digest is kept; a user has two that work while one is being replaced.

    `expires_at`: when it ends, whatever happens. `retires_at`: when the older of two ends; with
    `retire_after_unused_days` each use moves it on (accounts/last_used.py). With a `policy` it was swapped for an ID
    token, works for an hour at most, and is none of the two.
    """

    user = models.ForeignKey(RegistryUser, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True)
    pepper_version = models.PositiveSmallIntegerField()
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    retires_at = models.DateTimeField(null=True, blank=True)
    retire_after_unused_days = models.PositiveSmallIntegerField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, default="", db_default="", editable=False)
    last_used_with = ClientField(max_length=80, default="", db_default="", editable=False)
    policy = models.ForeignKey(
        TrustPolicy, null=True, editable=False, on_delete=models.CASCADE, related_name="swapped_passwords"
    )

    objects = Secrets.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="secret_by_end",
                condition=models.Q(policy=None) & ~models.Q(expires_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"secret …{self.hint} of {self.user}"

    @property
    def shown(self) -> str:
        """How pages and the audit log name it."""
        return f"…{self.hint}"

    @property
    def ends_at(self) -> datetime | None:
        """When it stops working; None where nothing ends it."""
        return min(filter(None, (self.expires_at, self.retires_at)), default=None)

    @property
    def last_end(self) -> datetime | None:
        """When it stops working however often it is used; None where nothing says."""
        return self.expires_at if self.retire_after_unused_days else self.ends_at

    def live_at(self, now: datetime) -> bool:
        return self.ends_at is None or self.ends_at > now
