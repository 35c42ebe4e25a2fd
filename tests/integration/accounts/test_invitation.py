"""GET, POST /invite/<token>/"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Member, Person
from accounts.services import members
from tests.cast import Cast


@pytest.fixture
def url(cast: Cast) -> str:
    _invitation, text = members.invite(by=cast.by("owner"), account=cast.account, role="manager")
    return f"/invite/{text}/"


def test_it_says_who_invites_to_what_as_which_role(cast: Cast, url: str) -> None:
    page = cast.client("anonymous").get(url).content.decode()
    for word in ("owner@example.com", "Team Red", "manager"):
        assert word in page


@pytest.mark.parametrize("who", ["anonymous", "stranger", "viewer"])
def test_looking_changes_nothing(cast: Cast, url: str, who: str) -> None:
    before = Member.objects.count()
    answer = cast.client(who).get(url)
    assert "no-store" in answer["Cache-Control"]
    assert Member.objects.count() == before
    assert Invitation.objects.exists()


def test_accepting_joins_and_spends_the_link(cast: Cast, url: str) -> None:
    client = cast.client("stranger")
    assert client.post(url).url == "/a/team-red/images/"
    assert cast.stranger.memberships.get(account=cast.account).role == "manager"
    again = client.post(url)
    assert again.status_code == 404
    assert "This link does not work" in again.content.decode()


def test_a_member_keeps_the_role(cast: Cast, url: str) -> None:
    cast.client("viewer").post(url)
    assert cast.viewer.memberships.get().role == "viewer"


def test_signed_out_one_cannot_accept(cast: Cast, url: str) -> None:
    answer = cast.client("anonymous").post(url)
    assert f"/me/signup/?next={url.replace('/', '%2F')}" in answer.content.decode()
    assert Invitation.objects.exists()


@pytest.mark.parametrize("mode", ["open", "invite"])
def test_from_the_link_through_sign_up_to_the_account(
    cast: Cast, url: str, settings: object, mode: str
) -> None:
    settings.SIGNUP = mode  # type: ignore[attr-defined]
    client = Client()
    client.get(url)
    form = {"email": "new@example.com", "password1": "tall green ladder", "password2": "tall green ladder"}
    assert client.post("/me/signup/", form | {"next": url}).url == url
    assert client.post(url).url == "/a/team-red/images/"
    person = Person.objects.get(email="new@example.com")
    assert person.memberships.get().role == "manager"


def test_without_the_link_sign_up_stays_closed(cast: Cast, settings: object) -> None:
    settings.SIGNUP = "invite"  # type: ignore[attr-defined]
    form = {"email": "new@example.com", "password1": "tall green ladder", "password2": "tall green ladder"}
    Client().post("/me/signup/", form)
    assert not Person.objects.filter(email="new@example.com").exists()


def test_an_old_link_is_dead(cast: Cast, url: str) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert cast.client("stranger").get(url).status_code == 404
    assert cast.client("stranger").post(url).status_code == 404


@pytest.mark.parametrize("token", ["nonsense", "rml_" + "x" * 38])
def test_a_wrong_link_says_so(cast: Cast, token: str) -> None:
    answer = cast.client("stranger").get(f"/invite/{token}/")
    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()


def test_a_link_to_a_closed_account_is_dead(cast: Cast, url: str) -> None:
    cast.account.closed_at = timezone.now()
    cast.account.save()
    assert cast.client("stranger").get(url).status_code == 404
