"""Templates have one element a line."""

from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates"
LONG = 160  # characters
# So many longer lines are left, and the longest of them is so long. Both numbers may only fall.
LEFT, LONGEST = 42, 325


def test_long_lines_become_fewer_and_shorter() -> None:
    lengths = [len(line) for file in TEMPLATES.rglob("*.html") for line in file.read_text().splitlines()]
    number = sum(length > LONG for length in lengths)

    assert number <= LEFT, "write one element a line"
    assert max(lengths) <= LONGEST, "write one element a line"
    assert (number, max(lengths)) == (LEFT, LONGEST), f"lower LEFT or LONGEST in {__file__}"
