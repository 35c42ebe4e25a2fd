"""Which addresses the panel may connect to for somebody else. PURE.

The table is ours, after IANA's registries of special-purpose addresses: what `ipaddress` calls global depends on the
version of Python, and includes multicast, 192.0.0.192 and 2002::/16.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

URL_MAX = 2048
_HOST_MAX = 253
# No more than what all readers of URLs take for the same: a host in ASCII, no backslash, no space, no user.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?][!#-;=?-\[\]_a-z~]*)?"
)
_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65535
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# C libraries read a host that ends so as an IPv4 address: 127.1, 0x7f000001, 017700000001.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Nobody opens these: what stands there trusts whoever reaches it (credentials of the machine), or is no single host.
_NEVER = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, at a public address
        "169.254.0.0/16",  # link-local: the metadata services of most clouds
        "192.0.0.192/32",  # Oracle's metadata service
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fd00:ec2::/32",  # the metadata service of AWS
        "fe80::/10",
        "ff00::/8",
    )
)
# Addresses that are not public. IPv6: beside all that is outside 2000::/3.
_PRIVATE = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",  # with Teredo, which carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4: a relay sends it on to the IPv4 address in it
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Networks:
    """Ranges that are open although they are not public. `setting` is what an operator adds one to."""

    setting: str
    ranges: tuple[Network, ...] = ()

    def hold(self, address: Address) -> bool:
        return any(address in each for each in self.ranges)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `host` is a name in lower case, or an address as `ipaddress` writes it."""

    url: str
    scheme: str
    host: str
    port: int
    address: Address | None  # where the host is an address


class Refused(Exception):
    """`text` is a LazyText: why nothing is sent there."""

    def __init__(self, text: LazyText) -> None:
        super().__init__(text)
        self.text = text


def networks_from(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read ranges as 10.1.0.0/16. Raise ValueError for one that is none, or whose address has host bits set."""
    return tuple(ip_network(each) for each in texts)


def refusal(address: Address, networks: Networks) -> LazyText | None:
    """Return why the panel may not connect to this address; None where it may."""
    meant = _meant(address)
    if any(meant in each for each in _NEVER):
        return _(
            "The panel never connects to %(address)s: it is a link-local, multicast or metadata address.",
            address=str(address),
        )
    if networks.hold(meant) or networks.hold(address) or _is_public(meant):
        return None
    return _(
        "The address is private (%(address)s); an operator can allow it with %(setting)s.",
        address=str(address),
        setting=networks.setting,
    )


def target(url: str) -> Target:
    """Read an http(s) URL strictly: the host that is checked must be the one that is asked. Raise Refused."""
    if len(url) > URL_MAX:
        raise Refused(_("The URL is longer than %(most)s characters.", most=URL_MAX))
    if not url.isascii():
        raise Refused(_("The URL must be ASCII: write the host as xn--… and anything else percent-encoded."))
    if not url.startswith(("https://", "http://")):
        raise Refused(_("The URL must begin with https://."))
    if "#" in url:
        raise Refused(_("The URL must not have a fragment (#…)."))
    if "@" in re.split(r"[/?\\]", url, maxsplit=3)[2]:
        raise Refused(_("The URL must not contain a username or a password."))
    found = _URL.fullmatch(url)
    port = int(found["port"] or _PORTS[found["scheme"]]) if found else 0
    if not found or not 0 < port <= _PORT_MAX:
        raise Refused(_("This is not a URL such as https://example.com/path."))
    host = found["host"].lower()
    address = _literal(host)
    return Target(url, found["scheme"], str(address or host), port, address)


def _literal(host: str) -> Address | None:
    """Return the address that the host is, in its usual form; None for a name. Raise Refused for what is neither."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        labels = host.split(".")
        named = len(host) <= _HOST_MAX and all(_LABEL.fullmatch(each) for each in labels)
        if not named or _NUMBER.fullmatch(labels[-1]):
            raise Refused(_("The host “%(host)s” is neither a name nor an address.", host=host)) from None
    return None


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, to the kernel or to a NAT64 gateway."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in each for each in _PRIVATE)
