"""Where issuers may stand."""

from django.conf import settings

from accounts.outbound.addresses import Networks


def issuer_networks() -> Networks:
    """Return the networks that are open beside public addresses."""
    return Networks("ISSUER_NETWORKS", settings.ISSUER_NETWORKS)
