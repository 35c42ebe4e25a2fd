"""What the test of kept releases calls lost."""

import pytest

from tests.releases import kept

BEFORE: kept.Rows = {"tag": [{"id": "1", "name": "'a'"}, {"id": "2", "name": "'b'"}], "empty": []}


def test_more_rows_columns_and_tables_are_no_loss() -> None:
    after = {
        "tag": [{"id": "2", "name": "'b'", "kind": "''"}, {"id": "1", "name": "'a'", "kind": "''"}],
        "empty": [{"id": "1"}],
        "new": [{"id": "1"}],
    }
    assert kept.lost(BEFORE, after) == []


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"id": "1", "name": "'a'"}],
        [{"id": "1", "name": "'a'"}, {"id": "2", "name": "'c'"}],
        [{"id": "1", "name": "'a'"}, {"id": "1", "name": "'a'"}],
    ],
)
def test_a_row_that_is_gone_or_another_is_a_loss(rows: list[dict[str, str]]) -> None:
    assert kept.lost(BEFORE, {"tag": rows, "empty": []}) == ["tag"]


def test_a_table_that_is_gone_is_a_loss() -> None:
    assert kept.lost(BEFORE, {"empty": []}) == ["tag"]
