"""Figures beside their bounds; a run is good when none is missed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Report:
    missed: list[str] = field(default_factory=list)

    def head(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def fact(self, label: str, value: object, more: str = "") -> None:
        print(f"  {label:<44}{value!s:>16}  {more}".rstrip(), flush=True)

    def most(self, label: str, value: float, bound: float, unit: str = "", more: str = "") -> None:
        """A bound from above. What was never measured is not within it."""
        self._judge(label, value, value <= bound, f"≤ {figure(bound)}{unit}", unit, more)

    def equal(self, label: str, value: str, wanted: str) -> None:
        self._line(label, value, value == wanted, wanted, "")

    def all_of(self, label: str, part: int, whole: int, more: str = "") -> None:
        self._judge(label, part, part == whole, f"of {whole:,}", "", more)

    def least(self, label: str, value: float, bound: float, unit: str = "", more: str = "") -> None:
        self._judge(label, value, value >= bound, f"≥ {figure(bound)}{unit}", unit, more)

    def _judge(self, label: str, value: float, good: bool, bound: str, unit: str, more: str) -> None:
        self._line(label, figure(value) + unit, good, bound, more)

    def _line(self, label: str, value: str, good: bool, bound: str, more: str) -> None:
        if not good:
            self.missed.append(label.strip())
        mark = "" if good else "MISSED  "
        print(f"  {label:<44}{value:>16}  {bound:<12}{mark}{more}".rstrip(), flush=True)

    def examples(self, lines: Iterable[str], most: int = 5) -> None:
        rows = list(dict.fromkeys(lines))
        for line in rows[:most]:
            print(f"      {line}")
        if len(rows) > most:
            print(f"      … and {len(rows) - most:,} more")

    def end(self) -> int:
        """The exit code."""
        print(
            "\n" + (f"MISSED: {', '.join(self.missed)}" if self.missed else "all within bounds"), flush=True
        )
        return 1 if self.missed else 0


def figure(value: float) -> str:
    if math.isinf(value) or math.isnan(value):
        return "never" if math.isinf(value) else "–"
    return f"{value:,}" if isinstance(value, int) or value == int(value) else f"{value:,.2f}"
