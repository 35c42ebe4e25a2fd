"""The secrets of second factors as they are stored: those of authenticator apps, and the seeds of recovery codes."""

from collections import Counter
from typing import Final

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.common import encryption

PURPOSE: Final = "second factors"
FIELDS: Final = ("secret", "seed")  # of Authenticator.data
_KINDS: Final = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


def encrypt(text: str) -> str:
    return encryption.encrypt(text, purpose=PURPOSE)


def decrypt(kept: str) -> str:
    return encryption.decrypt(kept, purpose=PURPOSE)


def by_version() -> Counter[int]:
    """Return how many are encrypted with each version of the key."""
    rows = Authenticator.objects.filter(type__in=_KINDS).values_list("data", flat=True)
    return Counter(
        encryption.version_of(data[field]) for data in rows.iterator() for field in FIELDS if field in data
    )


def encrypt_again() -> None:
    """Encrypt with the current key what an older one encrypted, if that is still there."""
    for pk in Authenticator.objects.filter(type__in=_KINDS).values_list("pk", flat=True):
        _encrypt_again(pk)


@transaction.atomic
def _encrypt_again(pk: int) -> None:
    row = Authenticator.objects.select_for_update().filter(pk=pk).first()
    fields = [name for name in FIELDS if row and name in row.data]
    old = [name for name in fields if row and encryption.is_old(row.data[name])]
    if not row or not old:
        return
    row.data |= {name: encrypt(decrypt(row.data[name])) for name in old}
    row.save(update_fields=["data"])
