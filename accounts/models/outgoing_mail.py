from django.db import models
from django.utils import timezone


class OutgoingMail(models.Model):
    """A mail that the worker is to send (accounts/outbox.py).

    `encrypted`: what it says, which may hold a link as good as a password; empty for one that was given up,
    which stays to be seen.
    """

    to = models.CharField(max_length=254)
    encrypted = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now, null=True)  # None: given up
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=200, default="")  # why the last attempt failed

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], name="mail_due", condition=~models.Q(due_at=None))]

    def __str__(self) -> str:
        return f"mail to {self.to}"
