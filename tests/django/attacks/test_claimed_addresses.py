"""A second address that somebody only claims to have: by a slip of the keys, or to be in the way of its owner."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import Person
from tests import factories
from tests.cast import Cast, client_for, just_signed_in

ANN = "ann@example.com"
PASSWORD = "tall green ladder"


@pytest.fixture(params=["mandatory", "optional"])
def mail_server(request: Any, settings: Any) -> bool:
    """Whether there is one."""
    settings.ACCOUNT_EMAIL_VERIFICATION, settings.SIGNUP = request.param, "open"
    return bool(request.param == "mandatory")


@pytest.fixture
def claimed(cast: Cast, mail_server: bool) -> EmailAddress:
    """Ann's address, which the stranger has added."""
    EmailAddress.objects.create(user=cast.stranger, email=cast.stranger.email, primary=True, verified=True)
    just_signed_in(client_for(cast.stranger)).post("/me/email/", {"action_add": "", "email": ANN})
    return EmailAddress.objects.get(email=ANN)


def link_of(address: EmailAddress) -> str:
    return f"/me/confirm-email/{EmailConfirmationHMAC.create(address).key}/"


def test_its_owner_signs_up_and_has_it_alone(claimed: EmailAddress) -> None:
    form = {"email": ANN, "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post("/me/signup/", form).status_code == 302
    assert EmailAddress.objects.get(email=ANN).user == Person.objects.get(email=ANN)


def test_its_owner_gets_no_link_to_the_password_of_who_claims_it(
    claimed: EmailAddress, mailoutbox: list[EmailMessage]
) -> None:
    mailoutbox.clear()
    Client().post("/me/password/reset/", {"email": ANN})
    assert "/reset/key/" not in "".join(str(each.body) for each in mailoutbox)
    Client().post("/me/password/reset/", {"email": "stranger@example.com"})
    EmailAddress.objects.filter(email=ANN).update(verified=True)
    Client().post("/me/password/reset/", {"email": "Ann@Example.com"})
    assert [each.to for each in mailoutbox if "/reset/key/" in str(each.body)] == [
        ["stranger@example.com"],
        [ANN],
    ]


@pytest.mark.parametrize("who", ["nobody", "somebody else"])
def test_nobody_but_who_added_it_confirms_it(claimed: EmailAddress, who: str) -> None:
    client = Client() if who == "nobody" else client_for(factories.PersonFactory())
    page = client.get(link_of(claimed)).headers["Location"]
    for answer in (client.get(page), client.post(page)):
        assert answer.headers["Location"] == f"/me/login/?next={page}"
    claimed.refresh_from_db()
    assert not claimed.verified
    form = {"login": "stranger@example.com", "password": factories.PASSWORD, "next": page}
    assert client.post("/me/login/", form).headers["Location"] == page
    assert "Is <strong>ann@example.com</strong> yours?" in client.get(page).content.decode()
    client.post(page)
    claimed.refresh_from_db()
    assert claimed.verified


def test_what_somebody_signs_in_with_is_nobody_elses_primary(cast: Cast) -> None:
    client, theirs = just_signed_in(client_for(cast.stranger)), cast.owner.email
    client.post("/me/email/", {"action_add": "", "email": theirs})
    answer = client.post("/me/email/", {"action_primary": "", "email": theirs}, follow=True)
    assert "Someone has already signed up with this address." in answer.content.decode()
    assert not EmailAddress.objects.filter(email=theirs, primary=True).exists()
    cast.stranger.refresh_from_db()
    assert cast.stranger.email == "stranger@example.com"


def test_a_person_claims_few(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    for number in range(9):  # beside their own
        EmailAddress.objects.create(user=cast.stranger, email=f"{number}@example.com")
    just_signed_in(client_for(cast.stranger)).post("/me/email/", {"action_add": "", "email": ANN})
    assert not EmailAddress.objects.filter(email=ANN).exists()
    assert not mailoutbox


def test_who_signed_up_with_it_confirms_it_anywhere(db: None) -> None:
    person = factories.PersonFactory(email=ANN)
    address = EmailAddress.objects.create(user=person, email=ANN, primary=True)
    client = Client()
    client.post(client.get(link_of(address)).headers["Location"])
    address.refresh_from_db()
    assert address.verified
