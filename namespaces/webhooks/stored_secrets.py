"""What a webhook keeps secret, encrypted in one column: URL, Authorization header and signing secrets."""

import base64
import json
import secrets
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Final

from django.db import transaction

from accounts.common import encryption
from namespaces.models import Webhook

PURPOSE: Final = "webhooks"
# A multiple of three: base64 without `=`, which some verifiers refuse and some demand.
_SECRET_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """`signing`, `previous`: as whsec_…; `previous` is "" where there was none. `authorization`: "" for none."""

    url: str
    signing: str
    authorization: str = ""
    previous: str = ""


def new_signing_secret() -> str:
    """Return one as Standard Webhooks has it: whsec_ and standard base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def encrypt(kept: WebhookSecrets) -> str:
    return encryption.encrypt(json.dumps(asdict(kept)), purpose=PURPOSE)


def decrypt(row: Webhook) -> WebhookSecrets:
    """Raise Undecryptable."""
    return WebhookSecrets(**json.loads(encryption.decrypt(row.secrets, purpose=PURPOSE)))


def by_version() -> Counter[int]:
    """Return how many webhooks are encrypted with each version of the key."""
    rows = Webhook.objects.values_list("secrets", flat=True)
    return Counter(encryption.version_of(each) for each in rows.iterator())


def encrypt_again() -> None:
    """Encrypt with the current key what an older one encrypted, if that is still there."""
    for pk in Webhook.objects.values_list("pk", flat=True):
        _encrypt_again(pk)


@transaction.atomic
def _encrypt_again(pk: int) -> None:
    row = Webhook.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row and encryption.is_old(row.secrets):
        row.secrets = encrypt(decrypt(row))
        row.save(update_fields=["secrets"])
