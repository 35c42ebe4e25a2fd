from datetime import datetime

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.common.expiring import EXPIRES_SOON, expires_soon
from accounts.models.account import Account
from accounts.models.client_field import ClientField
from accounts.names import DESCRIPTION_MAX, USERNAME_LENGTH


class RegistryUser(models.Model):
    """What `docker login` uses: a random username, random secrets, and a description that is not the name."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="users")
    username = models.CharField(max_length=USERNAME_LENGTH, unique=True)
    description = models.CharField(max_length=DESCRIPTION_MAX)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    # Written in batches after the fact, never while a token is made (accounts/last_used.py).
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, default="", editable=False)
    last_used_with = ClientField(max_length=80, default="", editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="user_listing"),
            models.Index(
                fields=["account", "expires_at"],
                name="user_expiring",
                condition=models.Q(disabled_at=None) & ~models.Q(expires_at=None),
            ),
            # Of all accounts, for metrics.
            models.Index(
                fields=["expires_at"],
                name="user_by_end",
                condition=models.Q(disabled_at=None) & ~models.Q(expires_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def get_absolute_url(self) -> str:
        return reverse("user", args=[self.account.handle, self.username])

    def state_at(self, now: datetime) -> str:
        """disabled, expired or active."""
        if self.disabled_at:
            return "disabled"
        return "expired" if self.expires_at and self.expires_at <= now else "active"

    def expires_soon_at(self, now: datetime) -> bool:
        """Return whether it works now and not much longer."""
        soon = expires_soon(self.expires_at, now) or self.password_ends_soon
        return self.state_at(now) == "active" and soon

    @cached_property
    def password_ends_soon(self) -> bool:
        """Whether it has passwords that work, and none lasts. Lists annotate it (accounts/expiring_users.py)."""
        now = timezone.now()
        live = self.secrets.live(now).unswapped()
        return live.exists() and not live.lasting(now + EXPIRES_SOON).exists()

    @property
    def expires_soon(self) -> bool:
        return self.expires_soon_at(timezone.now())

    @property
    def state(self) -> str:
        return self.state_at(timezone.now())
