"""A line for a small chart. PURE."""

from collections.abc import Sequence
from datetime import date

WIDTH, HEIGHT = 600, 120


def line(series: Sequence[tuple[date, int]]) -> str:
    """Return the points of an SVG polyline in a box of WIDTH × HEIGHT, from zero below; "" with fewer than two."""
    if len(series) < 2:  # noqa: PLR2004
        return ""
    first, days = series[0][0], (series[-1][0] - series[0][0]).days or 1
    most = max(size_bytes for _day, size_bytes in series) or 1
    return " ".join(
        f"{WIDTH * (day - first).days / days:.1f},{HEIGHT - HEIGHT * size_bytes / most:.1f}"
        for day, size_bytes in series
    )


def area(series: Sequence[tuple[date, int]]) -> str:
    """As `line`, closed along the bottom, to be filled."""
    points = line(series)
    return f"0,{HEIGHT} {points} {WIDTH},{HEIGHT}" if points else ""
