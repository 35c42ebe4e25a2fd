import pytest

from accounts.common.amounts import amount


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")]
)
def test_one_is_not_several(number: int, text: str) -> None:
    assert amount(number, "row", "rows") == text
