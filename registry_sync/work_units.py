"""What a worker was doing when it crashed, and what is quarantined because of it. PURE."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

CRASHES_MAX = 5  # in one account
CRASHES_MAX_AGAIN = 2  # where something of the account is quarantined already
ITEMS_MAX = 3  # items, or repositories, with crashes; then what contains them all is quarantined


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """An item of a repository; without `item` the repository; without both all of the account's."""

    account: int | None
    repository: str = ""
    item: str = ""

    def packed(self) -> str:
        return json.dumps([self.account, self.repository, self.item])

    @classmethod
    def unpacked(cls, text: str) -> "WorkUnit":
        return cls(*json.loads(text))

    def covers(self, other: "WorkUnit") -> bool:
        return (
            self.account == other.account
            and self.repository in ("", other.repository)
            and self.item in ("", other.item)
        )


def to_quarantine(crashes: Sequence[WorkUnit], quarantined: Collection[WorkUnit]) -> set[WorkUnit]:
    """Return the smallest units that contain an account's crashes, once they are enough. `quarantined`: before.

    So one thing on which workers crash costs five crashes, and a thousand of them, in one repository or many, no more.
    """
    if len(crashes) < (CRASHES_MAX_AGAIN if quarantined else CRASHES_MAX):
        return set()
    account = crashes[0].account
    crashed_in = {unit.repository for unit in crashes} - {""}
    repositories = crashed_in | {unit.repository for unit in quarantined} - {""}
    if account is not None and (not crashed_in or len(repositories) >= ITEMS_MAX):
        return {WorkUnit(account)}
    units: set[WorkUnit] = set()
    for repository in crashed_in:
        items = {unit.item for unit in crashes if unit.repository == repository} - {""}
        before = {unit.item for unit in quarantined if unit.repository == repository} - {""}
        if items and len(items | before) < ITEMS_MAX:
            units |= {WorkUnit(account, repository, item) for item in items}
        else:
            units.add(WorkUnit(account, repository))
    return units
