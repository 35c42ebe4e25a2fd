"""A sentence is a value: printed in English, kept with its template, and the same when it comes back."""

import json

from accounts.common.lazy_text import LazyText, from_json, lazy, to_json


def test_a_sentence_reads_as_english_and_remembers_what_it_was_made_of() -> None:
    sentence = lazy("%(n)s are gone", n=3)
    assert sentence == "3 are gone"
    assert (sentence.template, sentence.values) == ("%(n)s are gone", {"n": 3})


def test_a_sentence_without_values_is_its_template_whatever_is_in_it() -> None:
    assert lazy("100% of it") == "100% of it"


def test_what_is_packed_comes_back_as_it_was_with_sentences_in_it() -> None:
    inner = lazy("since %(day)s", day="Monday")
    outer = lazy("silent %(since)s, %(n)s times", since=inner, n=2)
    kept = json.loads(json.dumps(to_json(outer)))
    assert kept == ["silent %(since)s, %(n)s times", {"since": ["since %(day)s", {"day": "Monday"}], "n": 2}]
    back = from_json(kept)
    assert isinstance(back, LazyText)
    assert isinstance(back.values["since"], LazyText)
    assert back == outer == "silent since Monday, 2 times"


def test_what_needs_no_template_is_kept_as_it_is() -> None:
    assert to_json("plain") == to_json(lazy("plain")) == from_json("plain") == "plain"
    assert to_json(7) == from_json(7) == 7
