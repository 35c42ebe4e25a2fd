from typing import Any

from django.db import models

from accounts.models.client_field import ClientField
from accounts.models.id_token_issuer import IdTokenIssuer
from accounts.models.lazy_text_field import LazyTextField
from accounts.models.registry_user import RegistryUser
from accounts.models.trust_policy import TrustPolicy


class RefusedIdToken(models.Model):
    """An ID token that a user was refused with: genuine, of an issuer that one of its policies trusts.

    The claims of forged tokens are never kept. Of each user the last few are kept (accounts/refused_id_tokens.py);
    `fingerprint` counts tokens that were refused for the same reason as one.
    """

    RULES, PULL_REQUEST, AUDIENCE, ENDED, LIFETIME = "rules", "pull_request", "audience", "ended", "lifetime"
    KINDS = [(each, each) for each in (RULES, PULL_REQUEST, AUDIENCE, ENDED, LIFETIME)]

    user = models.ForeignKey(RegistryUser, on_delete=models.CASCADE, related_name="refused_id_tokens")
    issuer = models.ForeignKey(IdTokenIssuer, on_delete=models.CASCADE, related_name="refused_id_tokens")
    # The policy that it came nearest to.
    policy = models.ForeignKey(
        TrustPolicy, null=True, on_delete=models.CASCADE, related_name="refused_id_tokens"
    )
    kind = models.CharField(max_length=20, choices=KINDS)
    fingerprint = models.CharField(max_length=64)
    claims: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    reason = LazyTextField()
    count = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField()
    address = models.CharField(max_length=45, default="")
    client = ClientField(max_length=80, default="")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "fingerprint"], name="refused_id_token_once"),
        ]
        indexes = [models.Index(fields=["user", "-at", "-id"], name="refused_id_token_listing")]

    def __str__(self) -> str:
        return f"refused ID token of {self.issuer} for {self.user}: {self.reason}"
