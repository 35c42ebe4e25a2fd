"""Reports of leaked passwords by whoever holds them, without signing in.

A report is noted in memory, and looked up and carried out a moment later by a thread of its own. So the answer is the
same and takes as long whether the password works, worked or never did, and a flood asks the database once a second.
"""

import logging
from dataclasses import dataclass

from accounts import credentials, leaks
from accounts.common.client_ip import network_of
from accounts.common.fair_share import Owner
from accounts.peppers import peppers
from accounts.services.leaks import end, reporter
from accounts.write_behind import Batch

MOST = 2000
EACH = 30  # of one network, between two writes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeakReport:
    digests: tuple[str, ...]
    address: str

    @property
    def owner(self) -> Owner:
        return network_of(self.address), ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.digests

    @property
    def count(self) -> int:
        return 0  # one that gives way is not missed: most are of nothing that ever was


def report(text: str, *, address: str) -> None:
    """Note that somebody at `address` holds `text`, whatever it is."""
    reports.note(LeakReport(tuple(credentials.digests(text, peppers())), address))


def _write(noted: list[LeakReport]) -> None:
    by_digest = {digest: each for each in noted for digest in each.digests}
    for row in sorted(leaks.reported(by_digest), key=lambda each: each.digest):
        if end(by=reporter(by_digest[row.digest].address), row=row):
            log.warning("ended %s: it was reported as leaked", row)


reports = Batch("leak reports", _write, most=MOST, each=EACH)
