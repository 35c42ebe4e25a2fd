"""What the machine that answers says without a database."""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts.common.secret_files import SecretFileError
from manager.metrics.gauge import Gauge, one, seconds
from registry_sync.tokens import ca


def of_this_machine() -> list[Gauge]:
    build = Gauge(
        "registry_manager_build_info",
        "Always 1; the label says which build answers.",
        {str(settings.VERSION): 1.0},
        "version",
    )
    ends_at = certificate_ends_at()
    if ends_at is None:  # no token can be signed, and `problem` says it
        return [build]
    return [
        build,
        one(
            "registry_manager_leaf_certificate_expires_timestamp_seconds",
            "When the certificate ends that signs tokens; renewed ten days before.",
            seconds(ends_at),
        ),
    ]


def certificate_ends_at() -> datetime | None:
    """Return when the certificate ends that signs tokens; None where it cannot be read."""
    try:
        return ca.load_certificate(Path(settings.SECRETS_DIR) / ca.LEAF).not_valid_after_utc
    except SecretFileError:
        return None
