"""The last lines of `make bench`: what each part came to, its ratios first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HEAD = """\
SUMMARY. A ratio says how many times as much it took as what stands behind it: "bare" is the same server or client
that does nothing else, "base" the build that BASE names. All other figures are this machine's."""


@dataclass(frozen=True)
class Row:
    """What was measured. `ratios`: "÷ bare" → 1.2. `said`: the figures that compare with nothing."""

    label: str
    said: str = ""
    ratios: Mapping[str, float] = field(default_factory=dict)


def summary(rows: Iterable[Row]) -> str:
    lines = [HEAD]
    for row in rows:
        ratios = "".join(f"{value:>7.2f} {name:<14}" for name, value in row.ratios.items())
        lines.append(f"  {row.label:<54}{ratios:<44}{row.said}".rstrip())
    return "\n".join(lines)
