from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.names import USERNAME_LENGTH


class DropCounter(models.Model):
    """How much found no place in a bound: of a user, or (`username` empty) of all that nobody had signed in for."""

    class Kind(models.TextChoices):
        DENIALS = "denials", _("refusals")
        USES = "uses", _("last uses of users")
        LEDGER = "ledger", _("entries of the access ledger")
        DIGESTS = "digests", _("new digests of passwords")
        DIFFERENCES = "differences", _("differences that a check found")
        ID_TOKENS = "id_tokens", _("refused ID tokens")
        SIGN_INS = "sign-ins", _("sign-ins")  # of persons, turned away while too many were in line

    kind = models.CharField(max_length=20, choices=Kind.choices)
    username = models.CharField(max_length=USERNAME_LENGTH, default="")
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "username"], name="drop_counter_once")]

    def __str__(self) -> str:
        return f"{self.count} {self.kind}"
