from django.db import models

from accounts.models.client_field import ClientField
from accounts.models.lazy_text_field import LazyTextField
from accounts.models.registry_user import RegistryUser


class Denial(models.Model):
    """What a user was refused, however often: who, what, when, from where, why, and what would change it.

    `repository` and `action` are empty when the user was refused whatever it asked. `sources` are other images whose
    layers a push asked to reuse, with blanks between; of a push that was allowed the action is then "mount". Of an ID
    token that let nobody in it is "id_token".
    """

    MOUNT, ID_TOKEN = "mount", "id_token"

    user = models.ForeignKey(RegistryUser, on_delete=models.CASCADE, related_name="denials")
    repository = models.CharField(max_length=200, default="")
    action = models.CharField(max_length=10, default="")
    reason = LazyTextField()
    remedy = LazyTextField()
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    address = models.CharField(max_length=45, default="")
    client = ClientField(max_length=80, default="")
    sources = models.TextField(default="", db_default="")

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "repository", "action"], name="denial_once"),
        ]
        indexes = [
            models.Index(fields=["user", "-last_at", "-id"], name="denial_listing"),
            models.Index(fields=["repository", "-last_at"], name="denial_by_repository"),
            models.Index(fields=["last_at"], name="denial_by_age"),
        ]

    @property
    def is_mount(self) -> bool:
        return self.action == self.MOUNT

    @property
    def is_id_token(self) -> bool:
        return self.action == self.ID_TOKEN

    @property
    def source_names(self) -> list[str]:
        return self.sources.split()

    def __str__(self) -> str:
        return f"{self.user} {self.action} {self.repository}: {self.reason}"
