"""Lines of the log as JSON: one object each, without secrets, with the id of the request that is answered."""

import json
import logging
import sys
from typing import Any

import pytest

from manager.log_format import JsonFormatter
from manager.server import request_ids

SECRET = "rmu_" + "4gQ2mZ8w" * 4 + "4gQ2mZ"


def line(message: str, *arguments: object, failed: bool = False) -> dict[str, Any]:
    record = logging.LogRecord("there", logging.WARNING, "file.py", 1, message, arguments, None)
    record.created = 1_795_867_200.5
    if failed:
        record.exc_info = sys.exc_info()
    text = JsonFormatter().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line() -> None:
    assert line("%s of %s", 1, "two") == {
        "time": "2026-11-28T12:00:00.500Z",
        "level": "WARNING",
        "logger": "there",
        "message": "1 of two",
    }


@pytest.mark.parametrize(
    "text", ['"}\n{"level": "CRITICAL"', "a\r\nb", "é “quoted” \u2028", "\x00\x1b[31m", "\\"]
)
def test_it_is_one_line_whatever_is_in_it(text: str) -> None:
    assert line("%s", text)["message"] == text


def test_secrets_are_cut_out() -> None:
    found = line("GET /invite/%s/ and /me/password/reset/key/1-abc-%s/", SECRET, "def")
    assert found["message"] == "GET /invite/rmu_…/ and /me/password/reset/key/…/"
    assert line('"/confirm-email/MQ:abc" was asked')["message"] == '"/confirm-email/… was asked'


def test_an_exception_comes_along_without_its_secrets() -> None:
    try:
        int(SECRET)
    except ValueError:
        found = line("it failed", failed=True)
    assert found["exception"].endswith("invalid literal for int() with base 10: 'rmu_…'")
    assert "Traceback" in found["exception"]


def test_the_id_of_the_request_that_is_answered() -> None:
    request_ids.current.id = "abcdef12"
    try:
        assert line("x")["request_id"] == "abcdef12"
    finally:
        request_ids.current.id = ""
    assert "request_id" not in line("x")
