from accounts.common.remember import remember_short


def test_short_texts_are_made_once_and_long_ones_each_time() -> None:
    made: list[str] = []

    @remember_short(longest=3, most=2)
    def double(text: str) -> str:
        made.append(text)
        return text * 2

    for text in ("abc", "abc", "abcd", "abcd"):
        assert double(text) == text * 2
    assert made == ["abc", "abcd", "abcd"]
    for text in ("a", "b", "abc"):  # it has given way
        double(text)
    assert made[-3:] == ["a", "b", "abc"]
