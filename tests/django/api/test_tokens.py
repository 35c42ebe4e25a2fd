"""/me/ and /me/tokens/…"""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent
from accounts.services import api_tokens
from tests.cast import Cast
from tests.django.api.caller import API, Caller, error_of, fields_of, token_of
from tests.django.api.routes import every
from tests.django.api.world import caller_of

TOKENS = "me/tokens/"
URL = API + TOKENS


def make(cast: Cast, who: str, **body: object) -> dict[str, object]:
    response = cast.client(who).post(URL, body, content_type="application/json")
    assert response.status_code == 201
    made: dict[str, object] = json.loads(response.content)
    return made


def test_the_text_is_told_once_and_works(cast: Cast) -> None:
    made = make(cast, "owner", name="CI")
    assert (made["scope"], made["account"], made["as_operator"]) == ("read", None, False)
    caller = Caller(str(made["token"]))
    assert caller.get("me/").json()["email"] == "owner@example.com"
    (shown,) = caller.get(TOKENS).json()["results"]
    assert set(shown) == set(made) - {"token"}
    assert shown["hint"] == str(made["token"])[-4:]
    stored = str(list(ApiToken.objects.values())) + str(list(AuditEvent.objects.values()))
    assert str(made["token"]) not in stored


def test_a_token_cannot_make_another(cast: Cast) -> None:
    response = caller_of(cast, "owner").post(TOKENS, {"name": "For ever"})
    assert response.status_code == 403
    assert "sign in" in error_of(response)["message"]
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "CI", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "CI", "person": 1}, "person"),
        ({"name": "CI", "digest": "a"}, "digest"),
        ({"name": "CI", "id": 1}, "id"),
        ({"name": "CI", "scope": "admin"}, "scope"),
        ({"name": "CI", "scope": "manage"}, "scope"),
        ({"name": "CI", "as_operator": True}, "as_operator"),
        ({"name": "CI", "account": "elsewhere"}, "account"),
        ({"name": "CI", "account": "nowhere"}, "account"),
    ],
)
def test_a_bad_token_is_not_made(cast: Cast, body: dict[str, object], field: str) -> None:
    response = cast.client("owner").post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert fields_of(response) == {field}
    assert not ApiToken.objects.exists()


def test_an_expiry_is_kept(cast: Cast) -> None:
    day = (timezone.now() + timedelta(days=300)).strftime("%Y-%m-%dT00:00:00Z")
    assert make(cast, "owner", name="CI", expires_at=day)["expires_at"] == day


def test_ones_own_are_listed_and_revoked_and_no_other(cast: Cast) -> None:
    theirs = make(cast, "stranger", name="Theirs")
    row, text = api_tokens.create(by=cast.by("owner"), name="Mine", expires_at=None, confirmed=True)
    caller, mine = Caller(text), {"id": row.pk}
    assert [each["name"] for each in caller.get(TOKENS).json()["results"]] == ["Mine"]
    assert caller.delete(f"{TOKENS}{theirs['id']}/").status_code == 404
    assert Caller(str(theirs["token"])).get("me/").status_code == 200
    assert caller.delete(f"{TOKENS}{mine['id']}/").status_code == 204
    assert caller.get("me/").status_code == 401
    assert AuditEvent.objects.filter(action="api_token.revoked").count() == 1


def test_a_token_reaches_what_its_person_reaches_and_no_more(cast: Cast) -> None:
    caller = Caller(token_of(cast.viewer))
    assert caller.get("accounts/team-red/users/").status_code == 200
    assert caller.post("accounts/team-red/users/", {"description": "CI"}).status_code == 403
    assert caller.get("accounts/elsewhere/users/").status_code == 404


def test_no_answer_to_get_holds_a_secret(cast: Cast) -> None:
    from tests.django.api import world as worlds

    world = worlds.make(cast)
    caller = world.caller("owner")
    for route in every():
        if route.method == "GET":
            told = b"".join(caller.get(route.path(world))).decode()  # a file comes in parts
            for word in ("rma_", "rmp_", "rml_", "digest_", '"password"', '"token"', "pepper", "argon2"):
                assert word not in told, (str(route), word)
            assert world.invitation.digest not in told
            assert world.token.digest not in told
