from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from namespaces.names import NAMESPACE_MAX


class Namespace(models.Model):
    """The first part of an image's name, unique in the registry, owned by one account."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="namespaces")
    name = models.CharField(max_length=NAMESPACE_MAX, unique=True)
    public = models.BooleanField(default=False)
    octets = models.BigIntegerField(default=0, editable=False)  # in the registry, shared layers counted once
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("namespace", args=[self.account.handle, self.name])


class ReservedName(models.Model):
    """A name that not everybody may take.

    A deleted namespace's name waits until no token for the old one can still be good; if it ever held images
    it then comes back only to its old account (`only_account_id`), because blobs outlive their tags in the
    registry. A name under which the registry holds repositories that no account owns waits for the operator
    (`until` is None).
    """

    name = models.CharField(max_length=NAMESPACE_MAX, unique=True)
    until = models.DateTimeField(null=True)
    only_account_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.name
