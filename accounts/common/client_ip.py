"""The client's address, as far as our own proxies vouch for it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.common.remember import remember_short


@dataclass(frozen=True, slots=True)
class Origin:
    """From where, with what and when something was asked."""

    address: str
    client: str
    at: datetime


def client_address(meta: Mapping[str, Any]) -> str:
    """Return the client's IP, "" when there is none; of X-Forwarded-For what TRUSTED_PROXY_COUNT of our own wrote."""
    if settings.TRUSTED_PROXY_COUNT:
        hops = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXY_COUNT and (
            found := _read(hops[-settings.TRUSTED_PROXY_COUNT])
        ):
            return found
    return _read(str(meta.get("REMOTE_ADDR", "")))


def client_network(meta: Mapping[str, Any]) -> str:
    """Return the place that attempts are counted for: a whole /64 of IPv6, which one machine has to itself."""
    return network_of(client_address(meta))


@remember_short(longest=45)
def network_of(address: str) -> str:
    """Return the same of an address that `client_address` gave."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))


@remember_short(longest=45)
def wide_network_of(address: str) -> str:
    """Return the /24 of IPv4 or /48 of IPv6 that a household or an office keeps for long; "" for ""."""
    if not address:
        return ""
    return str(ipaddress.ip_network((address, 48 if ":" in address else 24), strict=False))


def _read(text: str) -> str:
    """Read an address as proxies write it: some add a port, with brackets around IPv6, or write IPv4 as IPv6."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return _normalize(text.partition("%")[0])


@remember_short(longest=45)
def _normalize(text: str) -> str:
    """Return the one way to write this address, "" for what is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
