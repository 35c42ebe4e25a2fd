"""Sign-ins at the provider that are linked and unlinked at one moment."""

from functools import partial

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.test import Client

from accounts.models import Person
from tests import factories
from tests.cast import client_for, just_signed_in
from tests.django.attacks.together import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(settings: LazySettings) -> Person:
    """One without a password, who signs in at the provider alone."""
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://login.example.com", "Example ID"
    person: Person = factories.PersonFactory()
    person.set_unusable_password()
    person.save()
    return person


def linked(person: Person, uid: str) -> SocialAccount:
    said = {"userinfo": {"name": "", "email": person.email, "groups": []}}
    row: SocialAccount = SocialAccount.objects.create(provider="sso", uid=uid, user=person, extra_data=said)
    return row


def test_of_the_last_two_ways_in_one_stays(person: Person) -> None:
    def unlink(client: Client, row: SocialAccount) -> int:
        return client.post(f"/me/sso/{row.pk}/unlink/").status_code

    browsers = [just_signed_in(client_for(person)) for _each in range(2)]
    rows = [linked(person, uid) for uid in ("first", "second")]
    answers = together([partial(unlink, each, row) for each, row in zip(browsers, rows, strict=True)])
    assert answers == [302, 302]
    assert SocialAccount.objects.filter(user=person).count() == 1
