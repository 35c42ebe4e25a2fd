"""What a worker was at when it died, and what is to be left alone because of it. PURE."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

ENOUGH = 5  # deaths in one account
AGAIN = 2  # where something of the account is aside already
MANY = 3  # things in which they were; then it is what holds them all


@dataclass(frozen=True, slots=True)
class Spot:
    """An item of a repository; without `item` the repository; without both all of the account's."""

    account: int | None
    repository: str = ""
    item: str = ""

    def packed(self) -> str:
        return json.dumps([self.account, self.repository, self.item])

    @classmethod
    def unpacked(cls, text: str) -> "Spot":
        return cls(*json.loads(text))

    def covers(self, other: "Spot") -> bool:
        return (
            self.account == other.account
            and self.repository in ("", other.repository)
            and self.item in ("", other.item)
        )


def to_set_aside(deaths: Sequence[Spot], aside: Collection[Spot]) -> set[Spot]:
    """Return the smallest that holds an account's deaths, once they are enough. `aside`: what was set aside before.

    So one thing that workers die of costs five deaths, and a thousand of them, in one repository or many, cost no more.
    """
    if len(deaths) < (AGAIN if aside else ENOUGH):
        return set()
    account = deaths[0].account
    died_in = {each.repository for each in deaths} - {""}
    known = died_in | {each.repository for each in aside} - {""}
    if account is not None and (not died_in or len(known) >= MANY):
        return {Spot(account)}
    found: set[Spot] = set()
    for repository in died_in:
        items = {each.item for each in deaths if each.repository == repository} - {""}
        before = {each.item for each in aside if each.repository == repository} - {""}
        if items and len(items | before) < MANY:
            found |= {Spot(account, repository, item) for item in items}
        else:
            found.add(Spot(account, repository))
    return found
