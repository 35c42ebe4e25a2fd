"""A sentence is a value: printed in English, kept with its template, and the same when it comes back."""

import copy
import json
import pickle
from datetime import date

import pytest

from accounts.common.lazy_text import (
    LazyText,
    from_json,
    joined,
    lazy,
    lazy_plural,
    to_json,
    verbatim,
)


def test_a_sentence_reads_as_english_and_remembers_what_it_was_made_of() -> None:
    sentence = lazy("%(n)s are gone", n=3)
    assert sentence == "3 are gone"
    assert (sentence.template, sentence.values) == ("%(n)s are gone", {"n": 3})


def test_a_sentence_without_values_is_its_template_whatever_is_in_it() -> None:
    assert lazy("100% of it") == "100% of it"


@pytest.mark.parametrize(
    ("n", "written"), [(0, "0 tags of a"), (1, "1 tag of a"), (2, "2 tags of a"), (12345, "12,345 tags of a")]
)
def test_a_number_decides_between_one_and_many(n: int, written: str) -> None:
    sentence = lazy_plural("%(n)s tag of %(image)s", "%(n)s tags of %(image)s", n, image="a")
    assert sentence == written
    assert from_json(json.loads(json.dumps(to_json(sentence)))) == written


def test_what_is_packed_comes_back_as_it_was_with_sentences_in_it() -> None:
    inner = lazy("since %(day)s", day=lazy("Monday"))
    outer = lazy("silent %(since)s, %(n)s times", since=inner, n=2)
    kept = json.loads(json.dumps(to_json(outer)))
    assert kept == [
        "silent %(since)s, %(n)s times",
        {"since": ["since %(day)s", {"day": ["Monday", {}]}], "n": 2},
    ]
    back = from_json(kept)
    assert back == outer == "silent since Monday, 2 times"
    assert isinstance(back, LazyText)
    since = back.values["since"]
    assert isinstance(since, LazyText)
    assert isinstance(since.values["day"], LazyText)


def test_days_and_fractions_are_written_by_whoever_shows_them() -> None:
    sentence = lazy("since %(day)s, after %(seconds)s s", day=date(2026, 12, 1), seconds=1234.5)
    assert sentence == "since 2026-12-01, after 1,234.5 s"
    back = from_json(json.loads(json.dumps(to_json(sentence))))
    assert (back, back.values) == (sentence, sentence.values)


def test_what_needs_no_template_is_kept_as_it_is() -> None:
    assert to_json("plain") == to_json(lazy("plain")) == from_json("plain") == "plain"
    assert to_json(7) == from_json(7) == 7


def test_a_name_is_no_sentence_of_a_catalogue() -> None:
    assert verbatim("all") == "all"
    assert to_json(verbatim("all")) == ["%(text)s", {"text": "all"}]


def test_sentences_stand_one_after_the_other() -> None:
    assert joined([]) == joined(["", ""]) == ""
    assert joined(["", "One."]) == "One."
    assert joined(["One.", "", lazy("Two."), "Three."]) == "One. Two. Three."
    assert joined(["one", "two"], "%(first)s, %(next)s") == "one, two"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])  # noqa: S301
def test_a_copy_is_translated_too(copied: object) -> None:
    sentence = lazy_plural("%(n)s tag", "%(n)s tags", 2)
    back = copied(sentence)  # type: ignore[operator]
    assert (back, to_json(back)) == (sentence, to_json(sentence))
