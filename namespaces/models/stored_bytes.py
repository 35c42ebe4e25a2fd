from django.db import models


class StoredBytes(models.Model):
    """What an image, a namespace or an account takes in the registry, as last counted; in bytes, each blob once.

    `stored_bytes` is what the registry holds. Of these `untagged_bytes` are of no tag: the history alone knows them.
    `uncollected_bytes` come on top: deleted, and on the registry's disk until its garbage collection.
    """

    stored_bytes = models.BigIntegerField(default=0, editable=False)
    untagged_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    uncollected_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def tagged_bytes(self) -> int:
        return self.stored_bytes - self.untagged_bytes
