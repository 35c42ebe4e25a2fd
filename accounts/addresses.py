"""The client's address, as far as our own proxies vouch for it."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings

IPV6 = 6


def client_address(meta: Mapping[str, Any]) -> str:
    """The client's IP. X-Forwarded-For counts only as far as TRUSTED_PROXIES of our own wrote it."""
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            return hops[-settings.TRUSTED_PROXIES][:45]
    return str(meta.get("REMOTE_ADDR", ""))[:45]


def client_network(meta: Mapping[str, Any]) -> str:
    """The place that attempts are counted for: a whole /64 of IPv6, which one machine has to itself."""
    address = client_address(meta)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == IPV6 else address
