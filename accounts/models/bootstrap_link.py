from django.conf import settings
from django.db import models
from django.utils import timezone


class OperatorLink(models.Model):
    """A one-time link that makes the first operator. The newest is in force; using it takes the row away."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Who signed up by it; nobody else can use it then.
    reserved_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )

    def __str__(self) -> str:
        return f"operator link of {self.created_at}"
