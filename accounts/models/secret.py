from django.db import models
from django.utils import timezone

from accounts.models.registry_user import RegistryUser


class Secret(models.Model):
    """One password of a user. Only its digest is kept; a user has two while one is being replaced."""

    user = models.ForeignKey(RegistryUser, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True)
    pepper_version = models.PositiveSmallIntegerField()
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"secret …{self.hint} of {self.user}"
