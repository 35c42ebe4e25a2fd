"""GET /invite/<token>/ and GET, POST /invite/"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone

from accounts.hashers import Crowded
from accounts.models import Account, Invitation, Member, Person
from accounts.services import invitations, members
from tests import factories
from tests.cast import Cast, principal_of

FORM = {"email": "new@example.com", "password1": "tall green ladder", "password2": "tall green ladder"}


@pytest.fixture
def link(cast: Cast) -> str:
    _invitation, text = invitations.invite(by=cast.by("owner"), account=cast.account, role="manager")
    return f"/invite/{text}/"


def accept(client: Client, link: str) -> int:
    client.get(link)
    return client.post("/invite/").status_code


def state() -> str:
    return Invitation.objects.with_state(timezone.now()).get().state


def test_the_link_leads_to_a_page_without_it(cast: Cast, link: str) -> None:
    client = cast.client("stranger")
    answer = client.get(link)
    assert (answer.status_code, answer["Location"], answer["Referrer-Policy"]) == (
        302,
        "/invite/",
        "no-referrer",
    )
    assert "no-store" in answer["Cache-Control"]
    assert link.split("/")[2] not in str(dict(client.session))


def test_it_says_who_invites_to_what_as_which_role(cast: Cast, link: str) -> None:
    page = cast.client("anonymous").get(link, follow=True).content.decode()
    for word in ("owner@example.com", "Team Red", "manager"):
        assert word in page


@pytest.mark.parametrize("who", ["anonymous", "stranger", "viewer"])
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_looking_changes_nothing(cast: Cast, link: str, who: str, method: str) -> None:
    before = Member.objects.count()
    client = cast.client(who)
    getattr(client, method)(link)
    assert client.get("/invite/").status_code == (200 if method == "get" else 404)
    assert Member.objects.count() == before
    assert state() == "open"


def test_accepting_joins_and_spends_the_link(cast: Cast, link: str) -> None:
    client, late = cast.client("stranger"), cast.client("stranger")
    late.get(link)
    client.get(link)
    assert client.post("/invite/").url == "/a/team-red/images/"
    assert cast.stranger.memberships.get(account=cast.account).role == "manager"
    members.remove(by=cast.by("owner"), member=cast.stranger.memberships.get(account=cast.account))
    for answer in (client.get(link), client.post("/invite/"), late.post("/invite/")):
        assert answer.status_code == 404
        assert "This link does not work" in answer.content.decode()
    assert not cast.stranger.memberships.filter(account=cast.account).exists()
    assert state() == "used"


def test_a_member_keeps_the_role(cast: Cast, link: str) -> None:
    accept(cast.client("viewer"), link)
    assert cast.viewer.memberships.get().role == "viewer"


def test_signed_out_one_cannot_accept(cast: Cast, link: str) -> None:
    client = cast.client("anonymous")
    assert accept(client, link) == 200
    assert "/me/signup/?next=%2Finvite%2F" in client.get("/invite/").content.decode()
    assert state() == "open"


@pytest.mark.parametrize("mode", ["open", "invite"])
def test_from_the_link_through_sign_up_to_the_account(
    cast: Cast, link: str, settings: Any, mode: str
) -> None:
    settings.SIGNUP = mode
    client = Client()
    client.get(link)
    assert client.post("/me/signup/", FORM | {"next": "/invite/"}).url == "/invite/"
    assert client.post("/invite/").url == "/a/team-red/images/"
    person = Person.objects.get(email="new@example.com")
    assert person.memberships.get().role == "manager"
    assert state() == "used"


@pytest.mark.parametrize("again", ["the same browser", "another browser"])
def test_one_link_signs_one_person_up(cast: Cast, link: str, settings: Any, again: str) -> None:
    settings.SIGNUP = "invite"
    client, other = Client(), Client()
    other.get(link)
    client.get(link)
    assert client.post("/me/signup/", FORM).status_code == 302
    assert state() == "reserved"
    if again == "the same browser":
        other = client
        client.post("/me/logout/")
    answer = other.post("/me/signup/", FORM | {"email": "second@example.com"})
    assert "Sign-up is closed" in answer.content.decode()
    assert not Person.objects.filter(email="second@example.com").exists()


def test_who_signed_up_by_it_has_it_alone(cast: Cast, link: str, settings: Any) -> None:
    settings.SIGNUP = "invite"
    client = Client()
    client.get(link)
    client.post("/me/signup/", FORM)
    assert accept(cast.client("stranger"), link) == 404
    assert "Sign up" not in Client().get(link, follow=True).content.decode()
    elsewhere = Client()
    elsewhere.force_login(Person.objects.get(email="new@example.com"))
    assert accept(elsewhere, link) == 302


def test_a_taken_address_spends_the_link_as_a_free_one_does(
    cast: Cast, link: str, settings: Any, mailoutbox: list[Any]
) -> None:
    """Else who holds one link could ask of any number of addresses whether they are taken."""
    settings.SIGNUP, settings.ACCOUNT_EMAIL_VERIFICATION = "invite", "mandatory"
    client = Client()
    client.get(link)
    assert client.post("/me/signup/", FORM | {"email": "stranger@example.com"}).url == "/me/confirm-email/"
    assert "Sign-up is closed" in client.post("/me/signup/", FORM).content.decode()
    assert [mail.to for mail in mailoutbox] == [["stranger@example.com"]]
    assert state() == "reserved"
    assert accept(cast.client("stranger"), link) == 302


def test_an_address_that_was_asked_for_a_moment_ago_spends_the_link_as_well(
    cast: Cast, link: str, settings: Any, mailoutbox: list[Any]
) -> None:
    """No second mail goes out then."""
    settings.SIGNUP, settings.ACCOUNT_EMAIL_VERIFICATION = "open", "mandatory"
    Client().post("/me/signup/", FORM | {"email": "stranger@example.com"})
    settings.SIGNUP = "invite"
    client = Client()
    client.get(link)
    assert client.post("/me/signup/", FORM | {"email": "stranger@example.com"}).url == "/me/confirm-email/"
    assert state() == "reserved"
    assert len(mailoutbox) == 1


class CrowdedHasher(MD5PasswordHasher):
    def encode(self, *_arguments: object) -> str:
        raise Crowded


@pytest.mark.parametrize("email", ["stranger@example.com", "new@example.com"])
def test_who_is_told_to_come_again_has_the_link_still(
    cast: Cast, link: str, settings: Any, mailoutbox: list[Any], email: str
) -> None:
    """Whether the address is taken or not: who holds one link can make the crowd, too."""
    settings.SIGNUP, settings.ACCOUNT_EMAIL_VERIFICATION = "invite", "mandatory"
    hashers, settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS, [f"{__name__}.CrowdedHasher"]
    client = Client()
    client.get(link)
    assert client.post("/me/signup/", FORM | {"email": email}).status_code == 429
    assert (state(), mailoutbox) == ("open", [])
    settings.PASSWORD_HASHERS = hashers
    assert client.post("/me/signup/", FORM | {"email": email}).url == "/me/confirm-email/"
    assert state() == "reserved"


def test_a_sign_up_that_fails_spends_nothing(cast: Cast, link: str, settings: Any) -> None:
    settings.SIGNUP = "invite"
    client = Client()
    client.get(link)
    client.post("/me/signup/", FORM | {"password2": "another"})
    client.post("/me/signup/", FORM | {"email": "stranger@example.com"})  # taken, and says so
    assert state() == "open"


@pytest.mark.parametrize("mode", ["invite", "closed"])
def test_without_the_link_sign_up_stays_closed(cast: Cast, settings: Any, mode: str) -> None:
    settings.SIGNUP = mode
    Client().post("/me/signup/", FORM)
    assert not Person.objects.filter(email="new@example.com").exists()


def test_where_sign_up_is_closed_a_link_does_not_open_it(cast: Cast, link: str, settings: Any) -> None:
    settings.SIGNUP = "closed"
    client = Client()
    client.get(link)
    client.post("/me/signup/", FORM)
    assert not Person.objects.filter(email="new@example.com").exists()
    assert state() == "open"


def demote(cast: Cast) -> None:
    members.change_role(by=cast.by("stranger"), member=cast.owner.memberships.get(), role="manager")


def remove(cast: Cast) -> None:
    members.remove(by=cast.by("stranger"), member=cast.owner.memberships.get())


def demote_and_promote(cast: Cast) -> None:
    demote(cast)
    members.change_role(by=cast.by("stranger"), member=cast.owner.memberships.get(), role="owner")


def remove_and_take_back(cast: Cast) -> None:
    remove(cast)
    factories.MemberFactory(account=cast.account, person=cast.owner, role="owner")


def demote_past_the_service(cast: Cast) -> None:
    Member.objects.filter(person=cast.owner).update(role="viewer")


def switch_off(cast: Cast) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)


def delete(cast: Cast) -> None:
    Member.objects.filter(person=cast.owner).delete()
    cast.owner.delete()


def close(cast: Cast) -> None:
    Account.objects.filter(pk=cast.account.pk).update(closed_at=timezone.now())


LOSSES = [
    demote,
    remove,
    demote_and_promote,
    remove_and_take_back,
    demote_past_the_service,
    switch_off,
    delete,
    close,
]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("reserved", [False, True])
def test_it_dies_with_the_right_of_who_made_it(
    cast: Cast, link: str, settings: Any, lose: Callable[[Cast], None], reserved: bool
) -> None:
    settings.SIGNUP = "invite"
    factories.MemberFactory(account=cast.account, person=cast.stranger, role="owner")
    guest = factories.PersonFactory()
    if reserved:
        Invitation.objects.update(reserved_for=guest)
    opened, newcomer = Client(), Client()
    opened.force_login(guest)
    for each in (opened, newcomer):
        each.get(link)
    lose(cast)
    assert state() == "void"
    assert opened.post("/invite/").status_code == 404
    assert accept(opened, link) == 404
    newcomer.post("/me/signup/", FORM)
    assert not Person.objects.filter(email="new@example.com").exists()
    assert not guest.memberships.exists()


def test_it_outlives_the_role_of_somebody_else(cast: Cast, link: str) -> None:
    """The twin of the above: others come and go, and its maker may be one owner of two."""
    other = factories.MemberFactory(account=cast.account, role="owner")
    members.change_role(by=cast.by("owner"), member=cast.viewer.memberships.get(), role="manager")
    members.remove(by=cast.by("owner"), member=cast.manager.memberships.get())
    members.remove(by=principal_of(other.person), member=other)
    assert accept(cast.client("stranger"), link) == 302


def test_a_removed_owner_does_not_come_back_by_a_link_of_their_own(cast: Cast, link: str) -> None:
    factories.MemberFactory(account=cast.account, person=cast.stranger, role="owner")
    client = cast.client("owner")
    client.get(link)
    remove(cast)
    assert client.post("/invite/").status_code == 404
    assert client.get("/a/team-red/images/").status_code == 404


def test_an_old_link_is_dead(cast: Cast, link: str) -> None:
    client = cast.client("stranger")
    client.get(link)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post("/invite/").status_code == 404
    assert accept(client, link) == 404
    assert state() == "expired"


@pytest.mark.parametrize("token", ["nonsense", "rml_" + "x" * 38])
def test_a_wrong_link_says_so(cast: Cast, token: str) -> None:
    answer = cast.client("stranger").get(f"/invite/{token}/")
    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()


def test_without_a_link_there_is_nothing(cast: Cast) -> None:
    assert cast.client("stranger").get("/invite/").status_code == 404
    assert cast.client("stranger").post("/invite/").status_code == 404
