"""GET /.well-known/security.txt: for whoever found a hole, without session, cookie or database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

ADDRESS = "/.well-known/security.txt"


@pytest.mark.parametrize("contact", ["mailto:security@example.com", "https://example.com/security"])
def test_it_says_whom_to_tell(settings: Any, contact: str) -> None:
    settings.SECURITY_CONTACT, settings.PUBLIC_URL = contact, "https://registry.example.com"
    answer = Client().get(ADDRESS)
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert fields.keys() == {"Contact", "Expires", "Canonical"}
    assert fields["Contact"] == contact
    assert fields["Canonical"] == f"https://registry.example.com{ADDRESS}"
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)
    assert not answer.cookies


def test_nobody_named_is_nothing_there(settings: Any) -> None:
    settings.SECURITY_CONTACT = ""
    assert Client().get(ADDRESS).status_code == 404


def test_it_is_only_read(settings: Any) -> None:
    settings.SECURITY_CONTACT = "mailto:security@example.com"
    assert Client().head(ADDRESS).status_code == 200
    assert Client().post(ADDRESS).status_code == 405
