"""Guessing passwords of persons: counted where the one who guesses cannot reset the count, and bounded in its cost."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from accounts import hashers
from accounts.hashers import IN_LINE, BoundedArgon2Hasher
from accounts.models import Person
from manager.embedded import run
from tests import factories
from tests.integration.registry_sync.test_token_door import ask

TOO_MANY = "Too many failed login attempts"


@pytest.fixture
def person(db: None) -> Person:
    return factories.PersonFactory(email="known@example.com")


def attempt(email: str, password: str = "wrong", *, place: str = "192.0.2.1", **headers: str) -> str:
    form = {"login": email, "password": password}
    answer = Client(REMOTE_ADDR=place).post("/me/login/", form, headers=headers)
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


PLACES = ("192.0.2.7", "2001:db8:1::7")


@pytest.mark.parametrize("place", PLACES)
def test_guesses_from_elsewhere_do_not_keep_the_owner_out(person: Person, place: str) -> None:
    """Counted by address and place: who guesses locks out themselves."""
    for _ in range(7):
        guess = attempt(person.email, place="198.51.100.9")
    assert TOO_MANY in guess
    assert attempt(person.email, factories.PASSWORD, place="198.51.100.9") != "in"
    assert attempt(person.email, factories.PASSWORD, place=place) == "in"


def test_a_guesser_with_a_whole_network_of_addresses_is_one_place(person: Person) -> None:
    pages = [attempt(person.email, place=f"2001:db8:1:2::{n:x}") for n in range(6)]
    assert TOO_MANY not in pages[4]
    assert TOO_MANY in pages[5]
    assert attempt(person.email, factories.PASSWORD, place="2001:db8:1:3::1") == "in"


class Probe(Argon2PasswordHasher):
    """In the place of Argon2: knows whether another hash is running."""

    running = threading.Lock()

    def encode(self, password: str, salt: str) -> str:
        return str(self.alone(password))

    def verify(self, password: str, encoded: str) -> bool:
        return bool(self.alone(password == encoded))

    def alone(self, answer: object) -> object:
        assert self.running.acquire(blocking=False), "two at once"
        try:
            return answer
        finally:
            self.running.release()


class Bounded(BoundedArgon2Hasher, Probe):
    """The product's bound around the probe."""


@pytest.mark.parametrize("act", ["encode", "verify"])
def test_one_hash_runs_at_a_time_and_who_is_in_line_is_answered(act: str) -> None:
    with ThreadPoolExecutor(IN_LINE) as pool:
        hashers._place.acquire()
        work: list[Any] = [pool.submit(getattr(Bounded(), act), "x", "x") for _ in range(IN_LINE)]
        assert not any(each.done() for each in work)
        hashers._place.release()
        assert all(each.result(timeout=30) for each in work)


@pytest.fixture
def a_crowd(settings: Any) -> Iterator[ExitStack]:
    """As many log-ins as may hash or stand in line."""
    settings.PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]
    with ExitStack() as crowd:
        for _ in range(IN_LINE):
            hashers._line.acquire()
            crowd.callback(hashers._line.release)
        yield crowd


def test_a_log_in_that_finds_no_place_is_told_to_come_again_and_is_no_guess(
    a_crowd: ExitStack, db: None
) -> None:
    with ExitStack() as nobody_else:
        nobody_else.enter_context(a_crowd.pop_all())
        form = {"login": "known@example.com", "password": factories.PASSWORD}
        for _ in range(7):
            answer = Client().post("/me/login/", form)
            assert answer.status_code == 429
            assert answer["Retry-After"] == "1"
        user = factories.RegistryUserFactory()
        assert ask(user)[0] == 200  # pulls go on
    Person.objects.create_user("known@example.com", factories.PASSWORD)
    assert attempt("known@example.com", factories.PASSWORD) == "in"


def test_a_crowd_of_log_ins_leaves_a_thread_to_the_pulls() -> None:
    """Every way that the panel is started has four threads a process."""
    started = [" ".join(run._web()), (settings.BASE_DIR / "Dockerfile").read_text().replace('", "', " "),
               (settings.BASE_DIR / "docs" / "operations.md").read_text()]  # fmt: skip
    threads = [int(each) for text in started for each in re.findall(r"--blocking-threads (\d+)", text)]
    assert len(threads) == len(started)
    assert min(threads) > IN_LINE


def test_persons_passwords_are_hashed_with_it() -> None:
    """The tests themselves use a fast hash, so this asks the file."""
    text = (settings.BASE_DIR / "manager" / "settings.py").read_text()
    assert 'PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]' in text
    assert BoundedArgon2Hasher().encode("x", "saltsalt").startswith("argon2$argon2id$")
