"""What a worker was at when it died, and what is to be left alone because of it. PURE."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

CRASHES_MAX = 5  # deaths in one account
CRASHES_MAX_AGAIN = 2  # where something of the account is aside already
ITEMS_MAX = 3  # things in which they were; then it is what holds them all


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


def to_quarantine(deaths: Sequence[WorkUnit], quarantined: Collection[WorkUnit]) -> set[WorkUnit]:
    """Return the smallest that holds an account's deaths, once they are enough. `quarantined`: what was before.

    So one thing that workers die of costs five deaths, and a thousand of them, in one repository or many, cost no more.
    """
    if len(deaths) < (CRASHES_MAX_AGAIN if quarantined else CRASHES_MAX):
        return set()
    account = deaths[0].account
    died_in = {unit.repository for unit in deaths} - {""}
    repositories = died_in | {unit.repository for unit in quarantined} - {""}
    if account is not None and (not died_in or len(repositories) >= ITEMS_MAX):
        return {WorkUnit(account)}
    units: set[WorkUnit] = set()
    for repository in died_in:
        items = {unit.item for unit in deaths if unit.repository == repository} - {""}
        before = {unit.item for unit in quarantined if unit.repository == repository} - {""}
        if items and len(items | before) < ITEMS_MAX:
            units |= {WorkUnit(account, repository, item) for item in items}
        else:
            units.add(WorkUnit(account, repository))
    return units
