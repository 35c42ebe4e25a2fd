"""Rows written by functions escape what templates would."""

import pytest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from accounts.common.html_text import fill, fill_text, joined, prefill

BAD = "<script>alert('&')</script>\""


@pytest.mark.parametrize("value", [BAD, SafeString("<b>"), mark_safe("<i>"), gettext_lazy("<a>"), 7, None])
def test_each_value_is_written_as_format_html_writes_it(value: object) -> None:
    assert fill("<b>{}</b>{named}", value, named=value) == format_html("<b>{}</b>{named}", value, named=value)
    assert isinstance(fill("<b>{}</b>", value), SafeString)


def test_a_text_and_its_values_are_escaped() -> None:
    assert fill_text("from <%(who)s>", who=BAD) == format_html("from &lt;{}&gt;", BAD)
    assert fill_text("at %(moment)s", moment=fill("<time>{}</time>", "now")) == "at <time>now</time>"


def test_pieces_are_joined_to_html() -> None:
    pieces = joined(fill("<li>{}</li>", BAD), fill("<li>{}</li>", 2))
    assert isinstance(pieces, SafeString)
    assert pieces.endswith("</li><li>2</li>")


def test_a_pattern_is_filled_in_part_and_then_row_by_row() -> None:
    whole, first = (
        '<td title="{label}" class="{tone}">{name}</td>',
        {"label": "{tone}{name}" + BAD, "tone": "{}"},
    )
    pattern = prefill(whole, **first)
    for name in ("one", BAD):
        assert fill(pattern, name=name) == format_html(whole, **first, name=name)
