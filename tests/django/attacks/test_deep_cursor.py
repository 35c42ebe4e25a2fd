"""A place in a list that somebody made up: JSON nested without an end."""

import base64

import pytest

from tests.cast import Cast
from tests.django.api.caller import Caller, error_of, token_of

DEEP = base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=")


@pytest.mark.django_db
def test_it_is_refused_like_any_other_that_is_none(cast: Cast) -> None:
    assert cast.client("owner").get(f"/me/security-events/?page={DEEP}").status_code == 400
    answer = Caller(token_of(cast.owner)).get(f"me/tokens/?page={DEEP}")
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["page"])
