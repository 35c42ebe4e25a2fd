from datetime import datetime

from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from namespaces.image_description import DESCRIPTION_MAX
from namespaces.models.stored_bytes import StoredBytes
from namespaces.names import NAMESPACE_MAX

# Of namespaces whose images the registry hands out: those of accounts that are neither closed nor suspended.
SERVED = models.Q(account__closed_at=None, account__suspended_at=None)


class Namespace(StoredBytes):
    """The first part of an image's name, unique in the registry, owned by one account."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="namespaces")
    name = models.CharField(max_length=NAMESPACE_MAX, unique=True)
    public = models.BooleanField(default=False)
    description = models.CharField(max_length=DESCRIPTION_MAX, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    newest_history_id: int | None  # of its images; only through selectors.namespaces_of
    counted_at: datetime | None  # only through selectors.with_counted_at

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("namespace", args=[self.account.handle, self.name])


class ReservedName(models.Model):
    """Whose a name is, for good.

    From the moment an account makes a namespace of it, or the registry is found to hold something under it that nobody
    owns (`account` is None). One row, so that the two take their turn.

    A namespace that is deleted leaves it: what was pushed under the name stays in the registry, and a push under
    way may still end there. Only an operator gives the name to another account, or clears it.
    """

    name = models.CharField(max_length=NAMESPACE_MAX, unique=True)
    account = models.ForeignKey(
        Account, null=True, on_delete=models.PROTECT, related_name="reserved_names", db_index=False
    )
    # Of a deleted namespace: until then a token for it may be good.
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class CatalogRead(models.Model):
    """When the list of a registry's repositories was last read to its end, by the moment this began.

    Only the sync writes here. Before the first time nobody knows which names are free. Left out of backups: what is
    restored is old.
    """

    registry = models.CharField(max_length=500, primary_key=True)  # its address: another one is not read yet
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.registry
