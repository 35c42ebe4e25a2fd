"""Tests bind to what the product does: names inside of modules are replaced in few places, and in no more."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("how", "most"),
    [
        (r"monkeypatch\.setattr\(", 10),
        (
            r"(?<!monkeypatch\.)setattr\((?!settings,)",
            3,
        ),  # all in processes that are to die, or to stand still
        (r"monkeypatch\.(setitem|delattr|delitem)\(", 2),
        (r"mock\.patch|patch\.object|unittest\.mock", 0),
        (r"^\s*[a-z_]+(\.[a-z_]+)*\.[A-Z_]{2,} = ", 0),  # a constant of a module
    ],
)
def test_replaced_names_are_few(how: str, most: int) -> None:
    pattern = re.compile(how)
    found = [
        f"{path.relative_to(TESTS)}:{number}"
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line) and not re.match(r"\s*settings\.", line)
    ]
    assert len(found) <= most, found
