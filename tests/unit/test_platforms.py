"""Which platform of an index is looked at, and how an address names it."""

import pytest

from namespaces.manifests.platforms import choose_platform, parse_platforms

AMD, ARM, OTHER = ("sha256:" + letter * 64 for letter in "abc")


def listed(*words: str) -> list[dict[str, object]]:
    return [
        {"platform": each, "digest": digest, "size": 0}
        for each, digest in zip(words, (AMD, ARM, OTHER), strict=False)
    ]


def test_a_platform_is_named_by_its_words_and_by_its_digest_where_two_share_them_or_there_are_none() -> None:
    keys = [each.key for each in parse_platforms(listed("linux/amd64", "linux/arm64"))]
    assert keys == ["linux/amd64", "linux/arm64"]
    assert [each.key for each in parse_platforms(listed("linux/amd64", "linux/amd64", ""))] == [
        AMD,
        ARM,
        OTHER,
    ]


def test_a_size_that_is_not_known_is_none() -> None:
    (unknown,) = parse_platforms(listed("linux/amd64"))
    (known,) = parse_platforms([{"platform": "linux/amd64", "digest": AMD, "size": 7}])
    assert (unknown.size, known.size) == (None, 7)


@pytest.mark.parametrize(
    ("words", "wanted", "digest"),
    [
        (("linux/arm64", "linux/amd64"), "linux/arm64", AMD),
        (("linux/arm64", "linux/amd64"), ARM, ARM),
        (("linux/arm64", "linux/amd64"), "", ARM),
        (("linux/arm64", "linux/amd64"), "windows/amd64", ARM),
        (("linux/arm64", "linux/s390x"), "", AMD),
        (("", "linux/s390x"), "", AMD),
    ],
)
def test_the_wanted_one_else_the_commonest_else_the_first(
    words: tuple[str, ...], wanted: str, digest: str
) -> None:
    found = choose_platform(parse_platforms(listed(*words)), wanted)
    assert found
    assert found.digest == digest


def test_of_none_is_none() -> None:
    assert choose_platform([], "linux/amd64") is None
