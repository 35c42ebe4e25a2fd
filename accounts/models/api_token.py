from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from accounts.models.account import Account


class ApiToken(models.Model):
    """A person's key to the REST API: it may do what the person may, as far as `scope` and `account` let it.

    `account` None: every account of the person, also one that they join later. `as_operator`: on the system pages too,
    while the person is an operator. What a token may is put into the Principal (accounts/views/request.py).
    """

    class Scope(models.TextChoices):
        READ = "read", pgettext_lazy("scope", "read")
        MANAGE = "manage", pgettext_lazy("scope", "manage")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    scope = models.CharField(
        max_length=10, choices=Scope.choices, default=Scope.MANAGE, db_default=Scope.MANAGE.value
    )
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="api_tokens")
    as_operator = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    # Written in batches after the fact, once a minute at most (accounts/api_token_uses.py).
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, default="", db_default="", editable=False)
    last_used_with = models.CharField(max_length=100, default="", db_default="", editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["expires_at"], name="api_token_by_end", condition=~models.Q(expires_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"API token {self.name} of {self.person}"

    def is_live(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now
