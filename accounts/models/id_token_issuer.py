from django.db import models
from django.db.models import Q

from accounts.models.account import Account
from accounts.models.lazy_text_field import LazyTextField

URL_MAX = 255


class IdTokenIssuer(models.Model):
    """Who signs ID tokens: exactly the `iss` of its tokens, and the keys that they are verified with.

    Without an account it is the installation's, made by a preset or an operator, and its keys are fetched. An
    account's own has pasted keys only: operators alone decide which addresses the panel asks. Issuers with the same
    `url` may have other keys, as Kubernetes clusters do; `name` then tells them apart.
    """

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="id_token_issuers"
    )
    url = models.CharField(max_length=URL_MAX)
    name = models.CharField(max_length=80, default="", blank=True)
    preset = models.CharField(
        max_length=20, default="", blank=True
    )  # a slug of accounts/id_tokens/presets.py
    enabled = models.BooleanField(default=True)
    pasted_jwks = models.TextField(default="", blank=True)  # "": the keys are fetched
    jwks = models.TextField(default="", editable=False)  # as last fetched, "" before that
    jwks_at = models.DateTimeField(null=True, editable=False)  # when `jwks` was last confirmed
    asked_at = models.DateTimeField(null=True, editable=False)  # when a token named a key that was not there
    tried_at = models.DateTimeField(null=True, editable=False)
    problem = LazyTextField(default="", editable=False)  # why the last attempt to fetch failed
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)  # in a row
    next_try_at = models.DateTimeField(null=True, editable=False)  # None: as soon as somebody wants its keys

    class Meta:
        ordering = ["url", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "url", "name"], name="issuer_once"),
            models.UniqueConstraint(
                fields=["url", "name"], condition=Q(account=None), name="installation_issuer_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.url

    @property
    def key_text(self) -> str:
        """The JWKS that its tokens are verified with, as JSON; "" while there is none."""
        return self.pasted_jwks or self.jwks
