"""Notes what token requests were granted: once a request, in memory. It is taken apart when it is written.

Bounded: between two writes MOST requests that differ, EACH of one user, or of one network where nobody signed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from accounts.common.client_ip import Origin, network_of
from accounts.common.fair_share import Owner
from accounts.models import DropCounter
from accounts.write_behind import Batch
from namespaces.ledger import writer
from namespaces.ledger.entries import Use, ledger_network
from namespaces.models.ledger import NETWORKS_MAX

MOST = 2000
EACH = 100


class GrantedAccess(TypedDict):
    """What a note reads of an entry of a token's access list."""

    name: str
    actions: list[str]


@dataclass(slots=True, eq=False)  # and not frozen: that would double what it costs to make one
class Granted:
    """A request, and those like it: the same caller with the same password was granted the same.

    `account` is None, `username` "" and `secret` 0 where nobody signed in.
    `access`: "team/api:pull,push team/web:pull".
    """

    account: int | None
    username: str
    secret: int
    access: str
    first: Origin
    last: Origin
    addresses: tuple[str, ...]
    count: int = 1

    @property
    def owner(self) -> Owner:
        if self.account is None:
            return network_of(self.last.address), ""
        return self.account, self.username

    @property
    def key(self) -> tuple[str, ...]:
        return self.username, str(self.secret), self.access

    def merged_with(self, earlier: "Granted") -> "Granted":
        """Return itself, with what the earlier one counted: making a third one would cost as much as all else here."""
        self.first = earlier.first
        self.count += earlier.count
        if (address := self.addresses[0]) in earlier.addresses or len(earlier.addresses) >= NETWORKS_MAX:
            self.addresses = earlier.addresses
        else:
            self.addresses = (*earlier.addresses, address)
        return self

    def uses(self) -> list[Use]:
        """Return one for each image and action."""
        networks = frozenset(map(ledger_network, self.addresses)) - {""}
        pairs = (each.rsplit(":", 1) for each in self.access.split(" "))
        return [
            Use(
                self.username, self.secret, repository, action, self.count, 0, self.first.at, self.last.at,
                networks, self.last.address, self.last.client,
            )
            for repository, actions in pairs
            for action in actions.split(",")
        ]  # fmt: skip


def note(
    access: Sequence[GrantedAccess], origin: Origin, *, account: int | None, username: str, secret: int
) -> None:
    """Note one request; `access` is what it was granted, one entry for each repository."""
    words = " ".join([f"{entry['name']}:{','.join(entry['actions'])}" for entry in access])
    granted.note(Granted(account, username, secret, words, origin, origin, (origin.address,)))


def _write(notes: list[Granted]) -> None:
    # One by one: a note may name a thousand images.
    writer.write(use for each in notes for use in each.uses())


granted = Batch(DropCounter.Kind.LEDGER, _write, most=MOST, each=EACH, merge=Granted.merged_with)
