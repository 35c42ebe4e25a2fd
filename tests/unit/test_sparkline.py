"""The chart's line stays in its box, whatever the figures."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from namespaces.sparkline import HEIGHT, WIDTH, area, line

DAY = date(2026, 1, 1)
SERIES = st.dictionaries(st.integers(0, 90), st.integers(0, 2**62), min_size=2)


@given(SERIES)
def test_every_point_is_in_the_box(figures: dict[int, int]) -> None:
    series = [(DAY + timedelta(days=day), octets) for day, octets in sorted(figures.items())]
    points = [tuple(map(float, point.split(","))) for point in line(series).split()]
    assert len(points) == len(series)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[0][0] == 0
    assert points[-1][0] == WIDTH


def test_one_figure_is_no_line() -> None:
    assert line([(DAY, 1)]) == area([(DAY, 1)]) == ""


def test_more_is_higher() -> None:
    assert line([(DAY, 50), (DAY + timedelta(days=1), 100)]) == "0.0,60.0 600.0,0.0"
