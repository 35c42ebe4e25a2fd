"""What has to change so that our picture is the registry's. PURE.

Called only with complete answers: "absent" is a fact only then. What is absent is first marked missing, and goes
when a second complete answer says the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Row:
    """What we have: the digest a tag points at ("" for a repository), and whether it was missing last time."""

    digest: str = ""
    missing: bool = False


def plan(have: Mapping[str, Row], see: Mapping[str, str], *, unreadable: Iterable[str] = ()) -> Plan:
    """`see` maps each name of a complete list to its digest; `unreadable` names are left exactly as they are."""
    left = set(unreadable)
    gone = [name for name in have if name not in see and name not in left]
    return Plan(
        add=[name for name in see if name not in have],
        move=[name for name, digest in see.items() if name in have and have[name].digest != digest],
        mark=[name for name in gone if not have[name].missing],
        unmark=[name for name in have if have[name].missing and (name in see or name in left)],
        remove=[name for name in gone if have[name].missing],
    )
