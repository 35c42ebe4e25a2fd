"""Guessing passwords of persons: counted where the one who guesses cannot reset the count, and bounded in its cost."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import connections
from django.test import Client

from accounts import allauth_adapter, hashers
from accounts.hashers import IN_LINE, BoundedArgon2Hasher, Crowded, Line, line
from accounts.models import DropCounter, Person
from manager.server.web import THREADS
from tests import factories
from tests.django.attacks.together import PATIENCE
from tests.django.registry_sync.tokens.test_issuer import ask

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


@pytest.mark.parametrize(("page", "words"), [("login", "60 seconds"), ("password/reset", "10 minutes")])
def test_whoever_is_turned_away_is_told_for_how_long(db: None, page: str, words: str) -> None:
    form = {"login": "x@example.com", "email": "x@example.com", "password": "wrong"}
    answers = [Client().post(f"/me/{page}/", form) for _ in range(31 if page == "login" else 4)]
    assert [each.status_code == 429 for each in answers[-2:]] == [False, True]
    assert f"Try again in {words}." in answers[-1].text
    assert int(answers[-1]["Retry-After"]) == (60 if page == "login" else 600)


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


def test_the_counts_of_one_place_are_not_thrown_out_by_those_of_many(person: Person) -> None:
    """Without Redis they are in memory, of which Django keeps 300."""
    for _ in range(6):
        attempt(person.email)
    for number in range(2000):
        cache.set(f"count-of-place-{number}", [1.0], 60)
    assert TOO_MANY in attempt(person.email)


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
        with line.turn(""):
            work: list[Any] = [pool.submit(getattr(Bounded(), act), "x", "x") for _ in range(IN_LINE - 1)]
            assert not any(each.done() for each in work)
        assert all(each.result(timeout=PATIENCE) for each in work)


CROWD = "198.51.100.9"


@pytest.fixture
def a_crowd(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """As many log-ins from one place as may hash or stand in line."""
    settings.PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]
    monkeypatch.setattr(allauth_adapter.turned_away, "_at", float("-inf"))
    crowd = [hashers._Turn(CROWD) for _ in range(IN_LINE)]
    for each in crowd:
        line._come(each)
    yield crowd
    for each in crowd:
        line._leave(each)
    assert not len(line)


def test_a_log_in_that_finds_no_place_is_told_to_come_again_and_is_no_guess(
    a_crowd: list[Any], db: None
) -> None:
    form = {"login": "known@example.com", "password": factories.PASSWORD}
    for _ in range(7):
        answer = Client(REMOTE_ADDR=CROWD).post("/me/login/", form)
        assert answer.status_code == 429
        assert answer["Retry-After"] == "1"
        assert "Try again in 1 second." in answer.text
        assert re.search(r'<a[^>]* href="">Try again</a>', answer.text)  # to this page, anew
    assert DropCounter.objects.get().kind == DropCounter.Kind.SIGN_INS
    user = factories.RegistryUserFactory()
    assert ask(user)[0] == 200  # pulls go on
    for each in a_crowd:
        line._leave(each)
    Person.objects.create_user("known@example.com", factories.PASSWORD)
    assert attempt("known@example.com", factories.PASSWORD, place=CROWD) == "in"


@pytest.mark.django_db(transaction=True)
def test_ten_wrong_ones_at_once_turn_no_right_one_from_elsewhere_away(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]
    Person.objects.create_user("known@example.com", factories.PASSWORD)
    with ThreadPoolExecutor(11) as pool:
        with line.turn(CROWD):  # one is being hashed meanwhile
            wrong = {pool.submit(sign_in, f"u{n}@example.com", "wrong", CROWD) for n in range(10)}
            turned_away = done(wrong, 10 - (IN_LINE - 1))
            right = pool.submit(sign_in, "known@example.com", factories.PASSWORD, "192.0.2.7")
            turned_away |= done(wrong - turned_away, 1)  # the newest of the ten gave way for it
            assert {each.result() for each in turned_away} == {429}
        assert right.result(timeout=PATIENCE) == 302
        assert [each.result(timeout=PATIENCE) for each in wrong].count(200) == 10 - len(turned_away)


def sign_in(email: str, password: str, place: str) -> int:
    try:
        return attempt_status(email, password, place)
    finally:
        connections.close_all()


def attempt_status(email: str, password: str, place: str) -> int:
    form = {"login": email, "password": password}
    return Client(REMOTE_ADDR=place).post("/me/login/", form).status_code


def done(futures: set[Future[int]], many: int) -> set[Future[int]]:
    """The first that are answered."""
    found: set[Future[int]] = set()
    while len(found) < many:
        some = wait(futures - found, timeout=PATIENCE, return_when=FIRST_COMPLETED).done
        assert some, f"{len(found)} answers of {many}"
        found |= some
    return found


def test_in_a_full_line_a_place_that_stands_in_it_once_is_not_taken_away() -> None:
    """Nor is the turn that is being served; and who comes from the fullest place is turned away at once."""
    full = Line(3)
    turns = [hashers._Turn(place) for place in ("A", "B", "A", "C", "A")]
    for each in turns:
        full._come(each)
    assert [each.gave_way for each in turns] == [False, False, True, False, True]
    assert [each.place for each in full._line] == ["A", "B", "C"]


def test_who_waits_too_long_is_told_to_come_again() -> None:
    impatient = Line(2, patience=0.01)
    with impatient.turn("A"):
        with pytest.raises(Crowded), impatient.turn("B"):
            pass
        assert len(impatient) == 1


def test_a_crowd_of_log_ins_leaves_a_thread_to_the_pages() -> None:
    assert THREADS > IN_LINE


def test_persons_passwords_are_hashed_with_it() -> None:
    """The tests themselves use a fast hash, so this asks the file."""
    text = (settings.BASE_DIR / "manager" / "settings.py").read_text()
    assert 'PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]' in text
    assert BoundedArgon2Hasher().encode("x", "saltsalt").startswith("argon2$argon2id$")
