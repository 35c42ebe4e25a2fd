"""GET, POST /me/tokens/ and POST /me/tokens/<id>/revoke/"""

import pytest
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent
from accounts.services import api_tokens
from tests.cast import Cast

URL = "/me/tokens/"
FORM = {"name": "Backup", "expiry": "30", "expires_on": ""}


@pytest.mark.parametrize("who", ["owner", "viewer", "stranger"])
def test_a_person_creates_one_and_sees_it_once(cast: Cast, who: str) -> None:
    client = cast.client(who)
    answer = client.post(URL, FORM)
    text = answer.context["text_of_token"]
    assert "no-store" in answer["Cache-Control"]
    assert text in answer.content.decode()
    assert text not in answer.context["command"]
    found = api_tokens.find(text=text, now=timezone.now())
    assert found is not None
    assert found.person == getattr(cast, who)
    page = client.get(URL).content.decode()
    assert "Backup" in page
    assert text not in page


def test_sending_the_form_again_creates_nothing(cast: Cast) -> None:
    client = cast.client("owner")
    once = client.get(URL).context["once"]
    for _ in range(2):
        client.post(URL, FORM | {"once": once})
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"expiry": "date"}, "expires_on"),
        ({"expiry": "date", "expires_on": "2001-01-01"}, "expires_on"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(cast: Cast, change: dict[str, str], field: str) -> None:
    answer = cast.client("owner").post(URL, FORM | change)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert not ApiToken.objects.exists()


def test_nobody_sees_the_tokens_of_others(cast: Cast) -> None:
    api_tokens.create(by=cast.by("owner"), name="Private", expires_at=None)
    assert "Private" not in cast.client("manager").get(URL).content.decode()


def test_its_owner_revokes(cast: Cast) -> None:
    token, text = api_tokens.create(by=cast.by("owner"), name="Old", expires_at=None)
    assert cast.client("owner").post(f"{URL}{token.pk}/revoke/").url == URL
    assert api_tokens.find(text=text, now=timezone.now()) is None
    assert AuditEvent.objects.filter(action="api_token.revoked").count() == 1


@pytest.mark.parametrize("who", ["manager", "stranger", "anonymous"])
def test_the_others_revoke_nothing(cast: Cast, who: str) -> None:
    token, _text = api_tokens.create(by=cast.by("owner"), name="Mine", expires_at=None)
    assert cast.client(who).post(f"{URL}{token.pk}/revoke/").status_code in (302, 404)
    assert ApiToken.objects.exists()


def test_revoke_rejects_get(cast: Cast) -> None:
    token, _text = api_tokens.create(by=cast.by("owner"), name="Mine", expires_at=None)
    assert cast.client("owner").get(f"{URL}{token.pk}/revoke/").status_code == 405


def test_anonymous_must_sign_in(db: None, client: object) -> None:
    assert client.get(URL).status_code == 302  # type: ignore[attr-defined]
