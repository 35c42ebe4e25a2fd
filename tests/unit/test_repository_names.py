"""The grammar of names: what Distribution's own grammar takes and no other letter, and words for people."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.names import (
    NAMESPACE_MAX,
    REPOSITORY_MAX,
    RESERVED,
    image_problem,
    is_repository,
    namespace_problem,
    split,
)

ALNUM = string.ascii_lowercase + string.digits
WORDS = st.text(ALNUM, min_size=1, max_size=6)
SEPARATORS = st.one_of(st.sampled_from([".", "_", "__"]), st.integers(1, 4).map(lambda n: "-" * n))


@st.composite
def components(draw: st.DrawFn) -> str:
    """Built up as the specification says, not read from the pattern."""
    text = draw(WORDS)
    for _ in range(draw(st.integers(0, 3))):
        text += draw(SEPARATORS) + draw(WORDS)
    return text


IMAGES = st.lists(components(), min_size=1, max_size=4).map("/".join)
# Letters that look like ours, letters that vanish, letters that mean something in a path or a log line.
STRANGE = st.one_of(
    st.sampled_from("аеорсіⅰａ１¹²\u200b\u200d\ufeff\u00ad\u0130\u0131ſK/\\%:@*?#& \t\r\n\x00\x7fA._-"),
    st.characters(),
)


@given(components().filter(lambda name: name not in RESERVED), IMAGES)
def test_what_the_specification_builds_is_taken_and_comes_apart_again(namespace: str, image: str) -> None:
    repository = f"{namespace}/{image}"
    if len(namespace) <= NAMESPACE_MAX:
        assert namespace_problem(namespace) is None
    if len(repository) <= REPOSITORY_MAX:
        assert image_problem(image, namespace=namespace) is None
        assert is_repository(repository)
    assert split(repository) == (namespace, image)


@given(components(), st.data())
def test_one_letter_from_elsewhere_spoils_a_name_wherever_it_stands(name: str, data: st.DataObject) -> None:
    strange = data.draw(STRANGE.filter(lambda letter: letter not in ALNUM + "._-/"))
    at = data.draw(st.integers(0, len(name)))
    spoiled = name[:at] + strange + name[at:]
    assert namespace_problem(spoiled)
    assert image_problem(spoiled, namespace="team")
    assert not is_repository(f"team/{spoiled}")
    assert not is_repository(f"{spoiled}/app")


@given(st.text(STRANGE, max_size=80))
def test_whatever_passes_is_plain_ascii_of_bounded_length(text: str) -> None:
    if namespace_problem(text) is None:
        assert set(text) <= set(ALNUM + "._-")
        assert unicodedata.normalize("NFKC", text).lower() == text
        assert len(text) <= NAMESPACE_MAX
        assert text not in RESERVED
    if is_repository(text):
        assert set(text) <= set(ALNUM + "._-/")
        assert not {"", ".", ".."} & set(text.split("/"))


@given(st.text(STRANGE, max_size=80))
def test_a_repository_is_legal_exactly_when_its_two_parts_are(text: str) -> None:
    namespace, image = split(f"team/{text}")
    assert namespace == "team"
    assert is_repository(f"team/{text}") is (image_problem(image, namespace=namespace) is None)


@pytest.mark.parametrize("name", ["team", "a", "0", "team.red", "team_red", "team__red", "team---red"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert namespace_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "-team", "team-", "team.", ".team", "_team", "team_", "te..am", "te___am", "te._am", "te-.am",
        "team\n", "team ", "team/", "team\x00", "Team", "tеam", "ｔeam", "team\u200b", "ＴＥＡＭ", "ﬁ", "%74eam",
        *sorted(RESERVED),
    ],
)  # fmt: skip
def test_names_that_only_look_ordinary_are_refused_with_words(name: str) -> None:
    problem = namespace_problem(name)
    assert problem
    assert problem.endswith(".")


def test_words_that_mean_something_elsewhere_are_no_namespaces() -> None:
    words = "library v2 _catalog _ admin api static token auth www root system null docker".split()
    assert all(namespace_problem(each) for each in words)


@pytest.mark.parametrize(("length", "fits"), [(NAMESPACE_MAX, True), (NAMESPACE_MAX + 1, False)])
def test_a_namespace_is_bounded(length: int, fits: bool) -> None:
    assert (namespace_problem("a" * length) is None) is fits


@pytest.mark.parametrize(("length", "fits"), [(REPOSITORY_MAX, True), (REPOSITORY_MAX + 1, False)])
def test_namespace_and_image_are_bounded_together(length: int, fits: bool) -> None:
    image = "a" * (length - len("team/"))
    assert (image_problem(image, namespace="team") is None) is fits
    assert is_repository(f"team/{image}") is fits


@pytest.mark.parametrize("name", ["a-" * 5000, "a" * 100_000, "a.a" * 30_000 + "!", "/" * 10_000])
def test_a_long_name_is_judged_without_trying_every_split(name: str) -> None:
    """Would not end if the pattern could be read in more than one way."""
    assert namespace_problem(name)
    assert not is_repository(name)
