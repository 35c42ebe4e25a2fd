"""Each promise in docs/security.md is held by a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs" / "security.md").read_text().partition("## Promises")[2].splitlines()
    if line.startswith("| ") and not line.startswith(("| promise", "|---"))
]


@pytest.mark.parametrize("row", ROWS)
def test_a_test_holds_it(row: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
    assert named, row
    for path, test in named:
        tree = ast.parse((ROOT / path).read_text())
        assert test in {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}, (
            f"{path}::{test}"
        )


def test_there_are_promises() -> None:
    assert len(ROWS) > 40
