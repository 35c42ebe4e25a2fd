"""Where receivers may stand."""

from django.conf import settings

from accounts.outbound.addresses import Networks


def webhook_networks() -> Networks:
    """Return the networks that are open beside public addresses."""
    return Networks("WEBHOOK_NETWORKS", settings.WEBHOOK_NETWORKS)
