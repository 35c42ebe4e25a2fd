"""What was acknowledged, told, shown and written down. PURE: from what the clients, the hop and the watch noted."""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Name = tuple[str, str]  # repository, tag
GONE = ""


@dataclass(frozen=True)
class Act:
    """A client's question that is to move tags. `outcome`: the digest they point at then, GONE after a delete.

    Of one tag all acts are one client's, one after another, and numbered so. `status`: 0 where no answer came.
    """

    number: int
    repository: str
    tags: list[str]
    outcome: str
    by: str
    began: float
    status: int

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300

    @property
    def may_have_happened(self) -> bool:
        return not 400 <= self.status < 500


@dataclass(frozen=True)
class Move:
    """A row of the history."""

    repository: str
    tag: str
    new: str
    by: str


class Told:
    """When each act was told: the first event about it that got our 202."""

    def __init__(self, events: Iterable[Mapping[str, object]]) -> None:
        self.at: dict[int, float] = {}
        self.refused: set[int] = set()  # at first
        for event in events:
            kind, _slash, number = str(event["client"]).partition("/")
            if kind != "act" or event["action"] not in ("push", "delete"):
                continue
            act = int(number)
            if event["status"] != 202:
                self.refused.add(act)
            elif act not in self.at:
                self.at[act] = float(str(event["answered"]))


@dataclass
class Losses:
    """Acknowledged, and never told. `memory`: the registry was killed since, and told nothing more of before."""

    memory: list[Act] = field(default_factory=list)
    otherwise: list[Act] = field(default_factory=list)


def losses(acts: Iterable[Act], told: Told, registry_killed: Sequence[float]) -> Losses:
    found, last = Losses(), max(registry_killed, default=-math.inf)
    for act in acts:
        if act.acknowledged and act.number not in told.at:
            (found.memory if act.began <= last else found.otherwise).append(act)
    return found


class Sightings:
    """What the inventory said of each tag, and from when on."""

    def __init__(self) -> None:
        self.of: dict[Name, list[tuple[float, str]]] = defaultdict(lambda: [(-math.inf, GONE)])

    def note(self, at: float, name: Name, digest: str) -> None:
        self.of[name].append((at, digest))

    def first(self, name: Name, digest: str, since: float) -> float:
        """When it first said this, from then on; infinite when it never did."""
        seen = self.of[name]
        begin = bisect_right(seen, since, key=lambda change: change[0]) - 1
        if seen[begin][1] == digest:
            return since
        return next((at for at, said in seen[begin + 1 :] if said == digest), math.inf)


def waits(acts: Sequence[Act], told: Told, sightings: Sightings) -> dict[tuple[int, str], float]:
    """(act, tag) → seconds from our 202 until the inventory said what this act did, or one of its tag after it."""
    found = {}
    for name, of_tag in by_tag(acts).items():
        for place, act in enumerate(of_tag):
            if (since := told.at.get(act.number)) is None:
                continue
            later = (
                sightings.first(name, each.outcome, max(since, told.at.get(each.number, each.began)))
                for each in of_tag[place:]
                if each.number in told.at or each.may_have_happened
            )
            found[act.number, name[1]] = min(later) - since
    return found


@dataclass
class Written:
    """Of the moves that were told. A push of what the tag pointed at already is no move."""

    expected: int = 0
    missing: list[Act] = field(default_factory=list)
    nobodys: list[Act] = field(default_factory=list)  # in the history, without who did it


def written(acts: Sequence[Act], told: Told, moves: Iterable[Move]) -> Written:
    rows = list(moves)
    there = Counter((move.repository, move.tag, move.new) for move in rows)
    theirs = Counter((move.repository, move.tag, move.new, move.by) for move in rows)
    found = Written()
    for (repository, tag), of_tag in by_tag(acts).items():
        for act in told_moves(of_tag, told):
            found.expected += 1
            key = (repository, tag, act.outcome)
            there[key] -= 1
            theirs[*key, act.by] -= 1
            if there[key] < 0:
                found.missing.append(act)
            elif theirs[*key, act.by] < 0:
                found.nobodys.append(act)
    return found


def told_moves(of_tag: Sequence[Act], told: Told) -> list[Act]:
    """Which of these moved the tag, both in truth and to whom only the events are known."""
    found = []
    truth: str | None = GONE
    known = GONE
    for act in of_tag:
        if act.number in told.at:
            if act.outcome not in (truth, known):
                found.append(act)
            truth = known = act.outcome
        elif act.acknowledged:
            truth = act.outcome
        elif act.may_have_happened:
            truth = None
    return found


def by_tag(acts: Sequence[Act]) -> dict[Name, list[Act]]:
    found: dict[Name, list[Act]] = defaultdict(list)
    for act in sorted(acts, key=lambda each: each.number):
        for tag in act.tags:
            found[act.repository, tag].append(act)
    return found


def longest_gap(moments: Sequence[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(moments)), default=math.inf)


def spans(moments: Iterable[float], gap: float) -> list[list[float]]:
    """In order, cut where nothing was for longer than `gap`."""
    found: list[list[float]] = []
    for at in sorted(moments):
        if not found or at - found[-1][-1] > gap:
            found.append([])
        found[-1].append(at)
    return found


def percentile(values: Iterable[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else math.nan
