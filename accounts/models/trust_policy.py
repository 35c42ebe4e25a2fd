from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.client_field import ClientField
from accounts.models.id_token_issuer import IdTokenIssuer
from accounts.models.registry_user import RegistryUser

AUDIENCE_MAX = 300


class TrustPolicies(models.QuerySet["TrustPolicy"]):
    def enabled(self) -> "TrustPolicies":
        """Return those that let a token in. The token server's statement says the same."""
        return self.filter(disabled_at=None, issuer__enabled=True)


class TrustPolicy(models.Model):
    """Lets ID tokens of one issuer act as a user: those made for `audience` whose claims match every rule.

    `rules`: {claim: {"is": [value, …]} or {"like": [glob, …]}}, see accounts/id_tokens/rules.py.
    """

    user = models.ForeignKey(RegistryUser, on_delete=models.CASCADE, related_name="trust_policies")
    issuer = models.ForeignKey(IdTokenIssuer, on_delete=models.CASCADE, related_name="trust_policies")
    audience = models.CharField(max_length=AUDIENCE_MAX)
    rules: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    pull_requests_may_push = models.BooleanField(default=False)
    note = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    # Written in batches after the fact (accounts/last_used.py).
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, default="", editable=False)
    last_used_with = ClientField(max_length=80, default="", editable=False)

    objects = TrustPolicies.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            # whether an issuer is trusted, of each that may be due (accounts/id_tokens/keys.py)
            models.Index(
                fields=["issuer", "created_at"], condition=Q(disabled_at=None), name="trusting_policies"
            ),
        ]

    def __str__(self) -> str:
        return f"ID tokens of {self.issuer} for {self.user}"

    @property
    def enabled(self) -> bool:
        """Whether it lets a token in, as `TrustPolicies.enabled`."""
        return self.disabled_at is None and self.issuer.enabled

    @property
    def shown(self) -> str:
        """How the audit log and the access ledger name it."""
        return self.note or str(self.issuer)
