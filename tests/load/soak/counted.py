"""Whether a server's count is what it was asked, through the ends of its processes. PURE."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

LATE = 3.0  # seconds until a scrape knows what another process counted: one, and what a busy machine adds
PASSED_ON = 1.0  # seconds from a server's answer until the hop has it


@dataclass(frozen=True)
class Asked:
    """A request for a token that went to a server. `answered`: 0 where no answer came."""

    port: int
    began: float
    answered: float


@dataclass(frozen=True)
class Scrape:
    """`life`: when its server was started, from which on it counts anew."""

    port: int
    life: float
    began: float
    ended: float
    count: int


@dataclass(frozen=True)
class Astray:
    scrape: Scrape
    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.scrape.port} counts {self.scrape.count:,}; it was asked {self.least:,} to {self.most:,} times"


def backwards(scrapes: Iterable[Scrape]) -> list[Scrape]:
    """Return those that found less than the one before, in the same life."""
    return [
        later
        for of_life in _lives(scrapes)
        for earlier, later in pairwise(of_life)
        if later.count < earlier.count
    ]


def astray(
    scrapes: Sequence[Scrape], asked: Sequence[Asked], killed: Sequence[tuple[int, float]]
) -> list[Astray]:
    """Return those that found less than was answered before in that life, or more than was asked.

    `killed`: port and moment. What a process answered in its last moments before it was killed may be lost.
    """
    found = []
    for of_life in _lives(scrapes):
        port, life = of_life[0].port, of_life[0].life
        heard = [each for each in asked if each.port == port and each.began >= life]
        kills = [at for each, at in killed if each == port and at >= life]
        for scrape in of_life:
            most = sum(each.began <= scrape.ended for each in heard)
            known = [each.answered for each in heard if 0 < each.answered <= scrape.began - LATE]
            least = sum(
                not any(at - LATE <= answered <= at + PASSED_ON for at in kills) for answered in known
            )
            if not least <= scrape.count <= most:
                found.append(Astray(scrape, least, most))
    return found


def _lives(scrapes: Iterable[Scrape]) -> list[list[Scrape]]:
    found: dict[tuple[int, float], list[Scrape]] = defaultdict(list)
    for each in scrapes:
        found[each.port, each.life].append(each)
    return [sorted(of_life, key=lambda each: each.began) for of_life in found.values()]
