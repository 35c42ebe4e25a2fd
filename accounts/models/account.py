from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role


class Account(models.Model):
    """A registry account: the tenant that owns users and namespaces."""

    name = models.CharField(max_length=80)
    handle = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    # By an operator, until they restore it: its users get no tokens, and its public images go to nobody.
    suspended_at = models.DateTimeField(null=True, editable=False)
    # Whom it counts for (accounts/limits.py), whoever owns it now.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    # No user or password may be given a later end than this many days ahead; None: any, or none.
    longest_life_days = models.PositiveSmallIntegerField(null=True)
    # Whether users may rotate their own password through the API.
    self_rotation = models.BooleanField(default=False, db_default=False)
    # Whether members get in only with a second factor (accounts/second_factors/requirement.py).
    second_factor_required = models.BooleanField(default=False, db_default=False)

    # Whether there is a webhook of it: it comes with an image's rows, so that a push costs nothing where there is none.
    has_webhooks = models.BooleanField(default=False, db_default=False, editable=False)

    # Of this account alone (accounts/limits.py). None: as the installation's setting says; 0: any number.
    max_namespaces = models.PositiveIntegerField(null=True)
    max_users = models.PositiveIntegerField(null=True)
    max_grants = models.PositiveIntegerField(null=True)
    max_members = models.PositiveIntegerField(null=True)
    max_invitations = models.PositiveIntegerField(null=True)
    max_retention_rules = models.PositiveIntegerField(null=True)

    # That of the person who asks: only on accounts that came through permissions, or through selectors that say so.
    role: Role

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("images", args=[self.handle])
