from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import RegistryUser
from namespaces.access import Level
from namespaces.models.namespace import Namespace
from namespaces.names import REPOSITORY_MAX

LEVELS = [(Level.READ.value, _("read")), (Level.WRITE.value, _("write")), (Level.ADMIN.value, _("admin"))]


class Grants(models.QuerySet["Grant"]):
    def live(self, now: datetime) -> "Grants":
        """Those that count. One that has ended gives nothing, but stays in lists until somebody removes it."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class Grant(models.Model):
    """A user's level on a namespace (`image_name` empty) or on one image of it, pushed already or not.

    It ends at `expires_at`, or never for None.
    """

    user = models.ForeignKey(RegistryUser, on_delete=models.CASCADE, related_name="grants")
    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="grants")
    image_name = models.CharField(max_length=REPOSITORY_MAX, default="", blank=True)
    level = models.PositiveSmallIntegerField(choices=LEVELS)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = Grants.as_manager()

    class Meta:
        ordering = ["namespace__name", "image_name", "user__description", "id"]
        constraints = [
            # The order of the columns is the order in which the token door looks grants up.
            models.UniqueConstraint(fields=["user", "namespace", "image_name"], name="grant_once"),
            models.CheckConstraint(condition=Q(level__in=[1, 2, 3]), name="grant_level"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.word} on {self.target}"

    def is_live(self, now: datetime) -> bool:
        """Return True where `Grants.live` finds it."""
        return self.expires_at is None or self.expires_at > now

    @property
    def word(self) -> str:
        return Level(self.level).word

    @property
    def target(self) -> str:
        return f"{self.namespace.name}/{self.image_name}" if self.image_name else self.namespace.name
