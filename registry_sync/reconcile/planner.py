"""What has to change so that our inventory is the registry's. PURE.

Called only with complete answers: "absent" is a fact only then. What is absent is first marked missing, and goes
when a second complete answer says the same, be it the next list or the answer to a question about just this.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Plan:
    """Names to add, to point elsewhere, to mark missing, to take the mark from, and to remove."""

    add: list[str] = field(default_factory=list)
    move: list[str] = field(default_factory=list)
    mark: list[str] = field(default_factory=list)
    unmark: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, (self.add, self.move, self.mark, self.unmark, self.remove)))

    def without(self, names: Collection[str]) -> "Plan":
        """Return what is left when these are nobody's to change now."""
        lists = {list_field.name: getattr(self, list_field.name) for list_field in fields(self)}
        return Plan(**{key: [name for name in listed if name not in names] for key, listed in lists.items()})

    def ignoring_absence(self) -> "Plan":
        """Nothing goes, nor is marked: that something is absent proves nothing."""
        return replace(self, mark=[], remove=[])

    def marking_instead_of_removing(self, stored: Mapping[str, "StoredState"]) -> "Plan":
        """Nothing goes: what would is marked missing."""
        marked = [name for name in self.remove if not stored[name].missing]
        return replace(self, mark=self.mark + marked, remove=[])


class StoredState(NamedTuple):
    """What we have: the digest a tag points at ("" for a repository), and whether it was missing last time.

    `unreadable`: it could not be read last time, so the digest may be an old one.
    """

    digest: str = ""
    missing: bool = False
    unreadable: bool = False


def make_plan(
    stored: Mapping[str, StoredState],
    listed: Mapping[str, str],
    *,
    unreadable: Collection[str] = (),
    gone: Collection[str] = (),
) -> Plan:
    """Return what to change in `stored`. `listed` is the complete list: name → digest.

    `unreadable` names stay exactly as they are. `gone` are names that the registry, asked for each one, said it does
    not have: that is the second answer.
    """
    absent = [name for name in stored if name not in listed and name not in unreadable]
    return Plan(
        add=[name for name in listed if name not in stored],
        move=[name for name, digest in listed.items() if name in stored and stored[name].digest != digest],
        mark=[name for name in absent if not stored[name].missing and name not in gone],
        unmark=[name for name in stored if stored[name].missing and (name in listed or name in unreadable)],
        remove=[name for name in absent if stored[name].missing or name in gone],
    )
