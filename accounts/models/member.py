from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.roles import Role

ROLES = [(Role.OWNER.value, _("owner")), (Role.MANAGER.value, _("manager")), (Role.VIEWER.value, _("viewer"))]


class Member(models.Model):
    """A person's role in an account: the greater of what was given by hand and what groups give."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=ROLES)
    # What groups give (GroupRole), "" for nothing; and what was given by hand beside it, "" for nothing. While groups
    # give nothing, `role` was given by hand, and `hand_role` means nothing.
    group_role = models.CharField(max_length=10, choices=ROLES, blank=True, default="", db_default="")
    hand_role = models.CharField(max_length=10, choices=ROLES, blank=True, default="", db_default="")
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["person__email", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "person"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.person} ({self.role})"
