"""What `make bench` prints at its end."""

from tests.load.summary import HEAD, Row, summary


def test_ratios_stand_before_the_figures_that_compare_with_nothing() -> None:
    rows = [
        Row("token, 1 scope", ratios={"÷ signature": 3.104, "÷ base": 0.69}),
        Row("second start", "1.8 s"),
        Row("tag list", "10 statements", ratios={"÷ base": 0.5}),
    ]
    *head, token, start, tags = summary(rows).splitlines()
    assert "\n".join(head) == HEAD
    assert token.split() == ["token,", "1", "scope", "3.10", "÷", "signature", "0.69", "÷", "base"]
    assert start.split() == ["second", "start", "1.8", "s"]
    assert tags.split() == ["tag", "list", "0.50", "÷", "base", "10", "statements"]


def test_the_figures_of_all_rows_begin_in_one_column() -> None:
    rows = [Row("a", "said"), Row("b", "said", ratios={"÷ base": 12.0}), Row("c" * 50, "said")]
    assert len({line.index("said") for line in summary(rows).splitlines()[-3:]}) == 1
