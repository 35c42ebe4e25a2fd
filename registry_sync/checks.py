"""Refuses to start with keys that are open to others or cannot sign."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 (Django's name)

from accounts.common import secret_files
from accounts.common.secret_files import SecretFileError
from registry_sync.tokens import ca


@register(Tags.security)
def check_signing_keys(**_options: Any) -> list[CheckMessage]:
    """E001: a key cannot be used. E002: the leaf has expired. W001: there are no keys yet."""
    folder, remedy = Path(settings.SECRETS_DIR), "python manage.py init_data_dir"
    if not (folder / ca.LEAF).exists():
        return [Warning("There is no signing key yet.", hint=remedy, id="registry_sync.W001")]
    try:
        for path in (*folder.glob("*.key"), folder / ca.CA_CERTIFICATE):
            secret_files.read(path)
        leaf = ca.load_pair(folder / ca.LEAF).certificate
    except SecretFileError as error:
        return [Error(str(error), id="registry_sync.E001")]
    if leaf.not_valid_after_utc <= datetime.now(UTC):
        return [Error("The certificate that signs tokens has expired.", hint=remedy, id="registry_sync.E002")]
    return []
