"""What the access ledger is told, and how it is put together. PURE."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from accounts.common.remember import remember_short


@dataclass(frozen=True, slots=True)
class Use:
    """One action on one repository, asked for `count` times and confirmed `confirmed_count` times.

    `username` is "" of anonymous callers; `secret` is as of LedgerCounts, 0 where it is not known. The address and
    the client are of `last_at`; `networks` as `ledger_network` makes them.
    """

    username: str
    secret: int
    repository: str
    action: str
    count: int
    confirmed_count: int
    first_at: datetime
    last_at: datetime
    networks: frozenset[str]
    address: str
    client: str

    @property
    def day(self) -> date:
        return self.last_at.astimezone(UTC).date()

    @property
    def key(self) -> tuple[str, str, str, date, int]:
        """What has one entry."""
        return self.username, self.repository, self.action, self.day, self.secret


def merged(uses: Iterable[Use]) -> list[Use]:
    """Return one of each key, in order of keys."""
    found: dict[tuple[str, str, str, date, int], Use] = {}
    for use in uses:
        earlier = found.get(use.key)
        found[use.key] = merge(earlier, use) if earlier else use
    return [found[key] for key in sorted(found)]


def merge(one: Use, other: Use) -> Use:
    """Return both as one, of the day of the later."""
    newest = max(one, other, key=lambda use: use.last_at)
    return replace(
        newest,
        count=one.count + other.count,
        confirmed_count=one.confirmed_count + other.confirmed_count,
        first_at=min(one.first_at, other.first_at),
        networks=one.networks | other.networks,
    )


@remember_short(longest=45)
def ledger_network(address: str) -> str:
    """Return the /24 or /64 of an address; "" for what is none."""
    try:
        bits = 64 if ":" in address else 24
        return str(ipaddress.ip_network((address, bits), strict=False))
    except ValueError:
        return ""
