"""docs/permissions.md is what the evaluator says."""

from pathlib import Path

from namespaces.access import Action, Level, UserStatus
from namespaces.permissions_doc import render


def test_the_document_is_the_evaluators_word() -> None:
    assert (Path(__file__).parents[2] / "docs/permissions.md").read_text() == render()


def test_every_case_has_a_row() -> None:
    rows = [
        line
        for line in render().splitlines()
        if line.startswith(tuple(f"| {each.value} |" for each in UserStatus))
    ]
    assert len(rows) == 2 * len(Level) ** 2 + 2 * (len(UserStatus) - 1)
    assert all(f"| {action} |" in render() for action in Action)
