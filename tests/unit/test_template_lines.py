"""Templates have one element a line."""

from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates"
LONG = 160  # characters


def test_no_line_is_too_long_to_read() -> None:
    long = [
        f"{file.relative_to(TEMPLATES)}:{number}"
        for file in sorted(TEMPLATES.rglob("*.html"))
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if len(line) > LONG
    ]
    assert long == [], "write one element a line"
