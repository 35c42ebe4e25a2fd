"""The people of the tests: an owner, a manager and a viewer of one account, a stranger, and nobody at all."""

import time
from dataclasses import dataclass

import pytest
from django.test import Client

from accounts.models import Account, Member, Person
from accounts.principal import Kind, Principal
from tests import factories

OUTSIDERS = ["stranger", "anonymous"]
MEMBERS = ["owner", "manager", "viewer"]


@dataclass(frozen=True)
class Cast:
    """`stranger` owns `elsewhere`, an account with which the others have nothing to do."""

    account: Account
    owner: Person
    manager: Person
    viewer: Person
    stranger: Person
    elsewhere: Account

    def client(self, who: str) -> Client:
        """A browser signed in as "owner", "manager", "viewer" or "stranger", or as nobody: "anonymous"."""
        return client_for(None if who == "anonymous" else getattr(self, who))

    def by(self, who: str) -> Principal:
        return principal_of(getattr(self, who))


def client_for(person: Person | None) -> Client:
    client = Client()
    if person:
        client.force_login(person)
    return client


def just_signed_in(client: Client) -> Client:
    """As after the form: need not confirm who they are (accounts/reauthentication.py)."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()
    return client


def principal_of(person: Person) -> Principal:
    return Principal(
        kind=Kind.PERSON, id=person.pk, label=person.email, address="192.0.2.7", operator=person.is_staff
    )


@pytest.fixture
def cast(db: None) -> Cast:
    return make()


def make() -> Cast:
    """In three statements: most tests ask for it."""
    names = [*MEMBERS, "stranger"]
    people = Person.objects.bulk_create(
        [factories.PersonFactory.build(email=f"{name}@example.com") for name in names]
    )
    account, elsewhere = Account.objects.bulk_create(
        [
            factories.AccountFactory.build(name="Team Red", handle="team-red"),
            factories.AccountFactory.build(handle="elsewhere"),
        ]
    )
    found = dict(zip(names, people, strict=True))
    members = [Member(account=account, person=found[role], role=role) for role in MEMBERS]
    Member.objects.bulk_create([*members, Member(account=elsewhere, person=found["stranger"], role="owner")])
    return Cast(account=account, elsewhere=elsewhere, **found)


@pytest.fixture
def operator(db: None) -> Person:
    """Runs the installation; a member of no account."""
    return factories.PersonFactory(email="operator@example.com", is_staff=True)
