"""Guessing passwords of persons: counted where the one who guesses cannot reset the count, and bounded in its cost."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from accounts.hashers import BoundedArgon2Hasher
from accounts.models import Person
from tests import factories

TOO_MANY = "Too many failed login attempts"


@pytest.fixture
def person(db: None) -> Person:
    return factories.PersonFactory(email="known@example.com")


def attempt(email: str, password: str = "wrong", **headers: str) -> str:
    answer = Client().post("/me/login/", {"login": email, "password": password}, headers=headers)
    return "in" if answer.status_code == 302 else answer.content.decode()


@pytest.mark.parametrize("email", ["known@example.com", "unknown@example.com"])
def test_one_address_is_guessed_at_five_times(person: Person, email: str) -> None:
    """Counted the same for an address that nobody has."""
    pages = [attempt(email) for _ in range(6)]
    assert not any(TOO_MANY in page for page in pages[:5])
    assert TOO_MANY in pages[5]


def test_another_spelling_of_the_address_is_the_same_address(person: Person) -> None:
    spellings = [
        "known@example.com",
        "KNOWN@example.com",
        "Known@Example.Com",
        " known@example.com",
        "known@example.com ",
    ]
    for spelling in spellings:
        assert TOO_MANY not in attempt(spelling)
    assert TOO_MANY in attempt("kNOWN@example.com")


def test_many_addresses_from_one_place_are_counted_together(person: Person) -> None:
    """A forwarded address that no proxy of ours wrote is not a place."""
    pages = [attempt(f"person{n}@example.com", **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(11)]
    assert not any(TOO_MANY in page for page in pages[:10])
    assert TOO_MANY in pages[10]


def test_a_few_typing_errors_do_not_keep_anybody_out(person: Person) -> None:
    for _ in range(4):
        assert attempt(person.email) != "in"
    assert attempt(person.email, factories.PASSWORD) == "in"


class Probe(Argon2PasswordHasher):
    """In the place of Argon2: holds every hash until as many as may run together are running."""

    lock = threading.Lock()
    running = most = 0
    together = threading.Barrier(os.cpu_count() or 1, timeout=30)

    def encode(self, password: str, salt: str) -> str:
        self.hold()
        return password

    def verify(self, password: str, encoded: str) -> bool:
        self.hold()
        return password == encoded

    def hold(self) -> None:
        with self.lock:
            Probe.running += 1
            Probe.most = max(Probe.most, Probe.running)
        self.together.wait()
        with self.lock:
            Probe.running -= 1


class Bounded(BoundedArgon2Hasher, Probe):
    """The product's bound around the probe."""


@pytest.mark.parametrize("act", ["encode", "verify"])
def test_no_more_hashes_run_at_once_than_there_are_processors(act: str) -> None:
    """Each takes 100 MiB; the others wait, and all of them are answered."""
    places, hasher = os.cpu_count() or 1, Bounded()
    Probe.running = Probe.most = 0
    with ThreadPoolExecutor(places * 4) as pool:
        work: list[Any] = [pool.submit(getattr(hasher, act), "x", "x") for _ in range(places * 4)]
        assert all(each.result(timeout=30) for each in work)
    assert Probe.most == places


def test_persons_passwords_are_hashed_with_it() -> None:
    """The tests themselves use a fast hash, so this asks the file."""
    text = (settings.BASE_DIR / "manager" / "settings.py").read_text()
    assert 'PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]' in text
    assert BoundedArgon2Hasher().encode("x", "saltsalt").startswith("argon2$argon2id$")
