"""What the log of a delivery keeps of attempts, and how it shows what was sent and answered."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from accounts.common.lazy_text import LazyText, lazy
from namespaces.webhooks.earlier_attempts import ANSWER_MAX, KEPT, Attempt, and_another, read
from namespaces.webhooks.shown_message import readable, readable_request
from namespaces.webhooks.state_text import attempt_state

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
BUSY = lazy("The receiver answered %(status)s.", status="503")


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt(AT, 503, BUSY, 12, "busy"),
        Attempt(AT, None, lazy("Nothing answers there."), 0, ""),
        Attempt(AT, None, "", None, ""),
    ],
)
def test_an_attempt_is_kept_as_it_was(attempt: Attempt) -> None:
    kept = json.loads(json.dumps(and_another([], attempt)))
    assert read(kept) == [attempt]


def test_its_sentence_can_still_be_translated() -> None:
    [found] = read(json.loads(json.dumps(and_another([], Attempt(AT, 503, BUSY, 12, "")))))
    assert isinstance(found.problem, LazyText)
    assert found.problem.template == "The receiver answered %(status)s."


def test_only_a_few_and_the_beginning_of_each_answer_are_kept() -> None:
    kept: list[object] = []
    for minute in range(KEPT + 2):
        attempt = Attempt(AT + timedelta(minutes=minute), 500, BUSY, 1, "x" * (ANSWER_MAX + 1))
        kept = and_another(kept, attempt)
    assert [each.tried_at.minute for each in read(kept)] == list(range(2, KEPT + 2))
    assert {len(each.answer) for each in read(kept)} == {ANSWER_MAX}


@pytest.mark.parametrize(
    ("status", "problem", "state"),
    [
        (503, BUSY, ("failed", "bad", "The receiver answered 503.")),
        (None, "Nothing answers there.", ("failed", "bad", "Nothing answers there.")),
        (204, "", ("delivered", "good", "The receiver answered 204.")),
        (None, "", ("not known", "none", "The next attempt began before its end was noted.")),
    ],
)
def test_how_an_attempt_went(status: int | None, problem: str, state: tuple[str, str, str]) -> None:
    found = attempt_state(status=status, problem=problem)
    assert (found.text, found.tone, found.why) == state


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"a":[1,0.5]}', '{\n  "a": [\n    1,\n    0.5\n  ]\n}'),
        ('{"a":1.10}', '{"a":1.10}'),  # it would be another
        ('{"a":[1', '{"a":[1'),  # cut
        ("not found\r\n", "not found\n"),
        ("", ""),
        ("a\u202eb\x00", "a\\u202eb\\u0000"),
        ("[" * 4096, "[" * 4096),
    ],
)
def test_an_answer_is_readable(body: str, shown: str) -> None:
    assert readable(body) == shown


def test_only_the_body_of_a_request_is_indented() -> None:
    head = "POST https://hooks.example/{x}\nwebhook-id: msg_1"
    assert readable_request(f'{head}\n\n{{"a":"\\n\\n"}}') == f'{head}\n\n{{\n  "a": "\\n\\n"\n}}'
    assert readable_request(f"{head}\n\n") == f"{head}\n\n"
    assert readable_request("") == ""
