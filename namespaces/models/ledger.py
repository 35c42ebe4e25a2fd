from django.db import models

from accounts.models import Account, RegistryUser
from accounts.models.client_field import ClientField
from namespaces.models.namespace import Namespace
from namespaces.names import REPOSITORY_MAX

NETWORKS_MAX = 20
ADDRESS_MAX = 45


class LedgerCounts(models.Model):
    """What one caller was allowed to do with one image, and how often an event confirmed that it was done.

    A token is no use: some clients ask for every repository that they know of. `count` is of tokens, `confirmed_count`
    of pulls or pushes. Anonymous callers have no `user`, and share a row for each image.
    """

    # Whose share of the bounds it takes up: the user's account, of anonymous callers the namespace's.
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(
        RegistryUser, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # The id of the password, or minus that of the trust policy that let an ID token in; either may be gone. 0 where it
    # is not known, or there is none.
    secret = models.BigIntegerField(default=0)
    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="+", db_index=False)
    image_name = models.CharField(max_length=REPOSITORY_MAX)
    action = models.CharField(max_length=10)
    count = models.PositiveBigIntegerField(default=0)
    confirmed_count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)  # the last time
    networks = models.TextField(default="")  # a /24 or /64 each, with blanks between
    address = models.CharField(max_length=ADDRESS_MAX, default="")  # of the last time, as is the client
    client = ClientField(max_length=80, default="")

    class Meta:
        abstract = True

    @property
    def network_list(self) -> list[str]:
        return self.networks.split()


class LedgerEntry(LedgerCounts):
    """One day of UTC."""

    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "namespace", "image_name", "action", "day", "secret"], name="ledger_once"
            ),
            models.UniqueConstraint(
                fields=["namespace", "image_name", "action", "day"],
                condition=models.Q(user=None),
                name="ledger_once_anonymous",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "day"], name="ledger_by_account"),
            models.Index(fields=["day"], name="ledger_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.user or 'anonymous'} {self.action} {self.namespace_id}/{self.image_name} on {self.day}"


class LedgerTotal(LedgerCounts):
    """All days that are kept, together: questions about access read these, which are sixty times fewer."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "namespace", "image_name", "action", "secret"], name="ledger_total_once"
            ),
            models.UniqueConstraint(
                fields=["namespace", "image_name", "action"],
                condition=models.Q(user=None),
                name="ledger_total_once_anonymous",
            ),
        ]
        indexes = [
            models.Index(fields=["namespace", "image_name"], name="ledger_total_by_namespace"),
            models.Index(fields=["first_at"], name="ledger_total_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.user or 'anonymous'} {self.action} {self.namespace_id}/{self.image_name}"
