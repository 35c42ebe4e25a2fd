"""Hostile bodies, paths and queries: always a 4xx in the one shape, never a 500."""

import base64
import json
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from accounts.models import Account
from tests import statements
from tests.cast import Cast
from tests.django.api.caller import error_of
from tests.django.api.world import World, caller_of

JSON = "application/json"


def cursor(*values: Any) -> str:
    """A page's address as somebody may forge it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"null", JSON, 400),
        (b"[]", JSON, 400),
        (b"[1]", JSON, 400),
        (b'"name"', JSON, 400),
        (b"1", JSON, 400),
        (b"NaN", JSON, 400),
        (b'{"name": Infinity}', JSON, 400),
        (b'{"name": "a", "name": "b"}', JSON, 400),
        (b'{"name": "\xff"}', JSON, 400),
        (b'{"name": "\\ud800"}', JSON, 400),
        (b'{"name": "a\\u0000b"}', JSON, 400),
        (b'{"name": null}', JSON, 400),
        (b'{"name": []}', JSON, 400),
        (b'{"name": {"contains": "a"}}', JSON, 400),
        (b'{"name": true}', JSON, 400),
        (b'{"name": ""}', JSON, 400),
        (b'{"name": "' + b"a" * 81 + b'"}', JSON, 400),
        (b'{"name": ' + b"9" * 100_000 + b"}", JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"name":' * 20_000, JSON, 400),
        (b'{"name": "' + b"a" * 1_000_000 + b'"}', JSON, 413),
        (b'{"name": "Blue"}', "application/json; charset=utf-7", 201),
        (b'{"name": "Blue"}', "text/plain", 415),
        (b'{"name": "Blue"}', "application/xml", 415),
        (b"name=Blue", "application/x-www-form-urlencoded", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
        (b"--x--", "multipart/form-data", 415),
        (b'{"name": "Blue"}', "\xff/\xfe", 415),
    ],
)
def test_a_body_that_cannot_be_taken(cast: Cast, body: bytes, media_type: str, status: int) -> None:
    caller, before = caller_of(cast, "owner"), Account.objects.count()
    response = caller("POST", "accounts/", data=body, content_type=media_type)
    assert response.status_code == status
    if status != 201:
        assert error_of(response)["code"] in ("invalid", "too_large", "unsupported_media_type")
        assert Account.objects.count() == before


def test_a_body_of_the_allowed_size_is_read_and_one_byte_more_is_not(cast: Cast) -> None:
    caller, most = caller_of(cast, "owner"), settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = b'{"name": "Blue"}'
    assert caller("POST", "accounts/", data=body.ljust(most), content_type=JSON).status_code == 201
    assert caller("POST", "accounts/", data=body.ljust(most + 1), content_type=JSON).status_code == 413


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_huge_form_with_a_session_is_refused(cast: Cast, kind: str) -> None:
    browser = cast.client("owner")
    browser.handler.enforce_csrf_checks = True
    response = browser.post("/api/v1/accounts/", b"a=1&" * 200_000, content_type=kind)
    assert response.status_code in (400, 403, 413)


@pytest.mark.parametrize(
    "path",
    [
        "accounts/%00/",
        "accounts/%FF%FE/",
        "accounts/team-red/users/%00/",
        "accounts/team-red/grants/99999999999999999999999999/",
        "accounts/team-red/members/99999999999999999999999999/",
        "accounts/team-red/invitations/99999999999999999999999999/",
        "me/tokens/99999999999999999999999999/",
        "accounts/team-red/namespaces/red/images/../../-/tags/",
        "accounts/team-red/namespaces/red/images/app%2Fapi/-/tags/%00/",
        "accounts/team-red/namespaces/red/images/app/-/-/tags/1.0/",
        "accounts/team-red/namespaces/RED/",
        "accounts/TEAM-RED/",
        "accounts/team-red",
        "nothing/",
        "a" * 5000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_strange_path_is_absent(world: World, path: str, method: str) -> None:
    response = world.caller("owner")(method, path)
    assert response.status_code in (404, 405)
    assert error_of(response)["code"] in ("not_found", "method_not_allowed")


@pytest.mark.parametrize(
    "query",
    [
        "page=x",
        "page=%00",
        "page=%FF",
        "page=W10",
        "page=WyJhIiwgMV0",
        f"page={cursor('a', '9999-12-31T23:59:59-14:00', 1)}",
        "page=" + cursor("a", "\ud800", 1),
        f"page={cursor('a', 10**30, 10**30)}",
        f"page={cursor('a', None, {})}",
        "page=" + "a" * 2000,
        "search=" + "a" * 201,
        "search=%00",
        "search=a&search=b",
        "format=xml",
        "offset=10",
        "user__password=a",
    ],
)
def test_a_strange_query_is_refused(world: World, query: str) -> None:
    response = world.caller("owner").get(f"accounts/team-red/users/?{query}")
    assert response.status_code in (400, 404)
    error_of(response)


@pytest.mark.parametrize("search", ["%25", "_", "%5C", "'", '"', "%F0%9F%90%B3", "a" * 200, "(a%2B)%2B$"])
@pytest.mark.parametrize(
    "noun", ["users", "namespaces", "namespaces/red/images", "namespaces/red/images/app/api/-/tags"]
)
def test_a_search_takes_every_character_as_itself(world: World, noun: str, search: str) -> None:
    response = world.caller("owner").get(f"accounts/team-red/{noun}/?search={search}")
    assert response.status_code == 200
    assert response.json()["results"] == []


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_a_forged_page_with_text_that_no_database_takes(cast: Cast, text: str) -> None:
    response = caller_of(cast, "owner").get(f"accounts/?page={cursor('a', text, 1)}")
    assert response.status_code in (200, 400)


def test_a_lost_database_is_503(world: World) -> None:
    lost = OperationalError("server closed the connection at 10.0.0.9")
    with statements.failing('FROM "accounts_registryuser"', lost):
        response = world.caller("owner").get("accounts/team-red/users/")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "10.0.0.9" not in error_of(response)["message"]


@pytest.mark.parametrize("body", [{"role": "\ud800"}, {"\udc00": 1, "role": "viewer"}, {"role": ["\ud800"]}])
def test_half_of_a_character_is_refused_like_any_other_value(cast: Cast, body: dict[str, Any]) -> None:
    """JSON may hold one, and UTF-8, in which we say what is wrong with it, cannot."""
    answer = caller_of(cast, "owner").post("accounts/team-red/invitations/", body)
    assert answer.status_code == 400
    assert set(error_of(answer)["fields"]) <= {"role", "?"}
