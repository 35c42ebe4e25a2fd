"""The last lines of `make bench`: each row's ratios."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured, and its figures by what they are: "÷ bare" → 1.2; a text stays as it is."""

    label: str
    figures: Mapping[str, float | str]


def summary(rows: list[Row]) -> str:
    lines = ["SUMMARY: a ratio says how many times what the bare thing, or the older build, takes"]
    for row in rows:
        figures = (
            f"{figure:.2f} {name}" if isinstance(figure, float) else f"{name} {figure}"
            for name, figure in row.figures.items()
        )
        lines.append(f"  {row.label:<52}{'   '.join(figures)}")
    return "\n".join(lines)
