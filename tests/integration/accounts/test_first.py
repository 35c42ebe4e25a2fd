"""GET, POST /first/<token>/"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts import operator_link
from accounts.models import Person
from tests.cast import Cast


@pytest.fixture
def url(db: None, settings: object) -> Iterator[str]:
    yield str(operator_link.make())
    Path(settings.SECRETS_DIR, "operator.link").unlink(missing_ok=True)  # type: ignore[attr-defined]


def is_operator(person: Person) -> bool:
    person.refresh_from_db()
    return person.is_staff


def test_looking_changes_nothing(cast: Cast, url: str) -> None:
    assert cast.client("stranger").get(url).status_code == 200
    assert not is_operator(cast.stranger)


def test_the_button_makes_an_operator_once(cast: Cast, url: str) -> None:
    assert cast.client("stranger").post(url).url == "/"
    assert is_operator(cast.stranger)
    answer = cast.client("viewer").post(url)
    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()
    assert not is_operator(cast.viewer)


def test_from_the_link_through_sign_up_though_it_is_closed(url: str, settings: object) -> None:
    settings.SIGNUP = "closed"  # type: ignore[attr-defined]
    client = Client()
    assert "/me/signup/?next=" in client.get(url).content.decode()
    form = {"email": "first@example.com", "password1": "tall green ladder", "password2": "tall green ladder"}
    assert client.post("/me/signup/", form | {"next": url}).url == url
    client.post(url)
    assert is_operator(Person.objects.get(email="first@example.com"))


def test_signed_out_one_becomes_nothing(url: str) -> None:
    assert Client().post(url).status_code == 200
    assert not Person.objects.filter(is_staff=True).exists()


def test_a_wrong_link_says_so(cast: Cast, url: str) -> None:
    assert cast.client("stranger").post("/first/nonsense/").status_code == 404
    assert not is_operator(cast.stranger)


def test_the_link_is_dead_once_there_is_an_operator(operator: Person, cast: Cast, url: str) -> None:
    assert cast.client("stranger").get("/first/None/").status_code == 404
