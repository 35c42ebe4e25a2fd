"""The people of the tests: an owner, a manager and a viewer of one account, a stranger, and nobody at all."""

from dataclasses import dataclass

import pytest
from django.test import Client

from accounts.models import Account, Person
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


def principal_of(person: Person) -> Principal:
    return Principal(
        kind=Kind.PERSON, id=person.pk, label=person.email, address="192.0.2.7", operator=person.is_staff
    )


@pytest.fixture
def cast(db: None) -> Cast:
    account = factories.AccountFactory(name="Team Red", handle="team-red")
    people = {
        role: factories.MemberFactory(account=account, role=role, person__email=f"{role}@example.com").person
        for role in MEMBERS
    }
    outsider = factories.MemberFactory(person__email="stranger@example.com", account__handle="elsewhere")
    return Cast(account=account, stranger=outsider.person, elsewhere=outsider.account, **people)


@pytest.fixture
def operator(db: None) -> Person:
    """Runs the installation; a member of no account."""
    return factories.PersonFactory(email="operator@example.com", is_staff=True)
