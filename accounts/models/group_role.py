from django.db import models
from django.utils import timezone

from accounts.models.account import Account
from accounts.models.member import ROLES


class GroupRole(models.Model):
    """Whoever is in `group` at the sign-in provider has `role` in `account`."""

    group = models.CharField(max_length=255)  # exactly as the provider sends it
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="group_roles")
    role = models.CharField(max_length=10, choices=ROLES)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=254, editable=False)

    class Meta:
        ordering = ["group", "id"]
        constraints = [models.UniqueConstraint(fields=["group", "account"], name="group_role_once")]

    def __str__(self) -> str:
        return f"{self.group}: {self.role} of {self.account}"
