"""Whether a name exists cannot be read from the answer, nor from the work that went into it.

Work is counted, never timed: hashes of passwords, statements to the database, mails.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import credentials
from accounts.models import Invitation, Person
from accounts.services import api_tokens, invitations, users
from accounts.services import people as people_service
from registry_sync.tokens.throttle import throttle
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import ask
from tests.statements import asked_of_the_driver


class CountingHasher(MD5PasswordHasher):
    """Verifying encodes too, so every comparison counts once."""

    algorithm = "counted"
    hashed: ClassVar[list[int]] = []

    def encode(self, password: str, salt: str) -> str:
        self.hashed.append(len(password))
        return super().encode(password, salt)


@dataclass
class Work:
    """What an answer took; two that look alike must be equal in all of it."""

    statements: int = 0
    hashes: list[int] = field(default_factory=list)
    mails: int = 0


@pytest.fixture(autouse=True)
def _counted(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    throttle._failures.clear()


@pytest.fixture
def work(mailoutbox: list[EmailMessage]) -> Any:
    @contextmanager
    def measure() -> Iterator[Work]:
        done, sent = Work(), len(mailoutbox)
        CountingHasher.hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            yield done
        done.statements, done.mails = len(queries), len(mailoutbox) - sent
        done.hashes = list(CountingHasher.hashed)

    return measure


@pytest.fixture
def people(db: None) -> dict[str, Person]:
    """One who may sign in, and one who was switched off."""
    found = {}
    for name, active in (("known", True), ("retired", False)):
        found[name] = factories.PersonFactory(email=f"{name}@example.com", is_active=active)
        EmailAddress.objects.create(user=found[name], email=found[name].email, primary=True)
    return found


def body(answer: HttpResponse, *own: str) -> str:
    """The page without what differs for everybody: the form's token, what is encrypted, and what was typed."""
    text = re.sub(r'"[A-Za-z0-9]{64}"', "", answer.content.decode())
    text = re.sub(r"live=([\w=-]+)", lambda note: f"live={len(note[1])}", text)
    for word in own:
        text = text.replace(word, "…")
    return text


def headers(answer: HttpResponse) -> dict[str, str]:
    own = ("Content-Length", "Set-Cookie", "Expires")  # the last is the second of the answer
    return {name: value for name, value in answer.items() if name not in own}


@pytest.mark.parametrize("email", ["unknown@example.com", "retired@example.com", "UNKNOWN@Example.com"])
def test_a_wrong_password_and_a_wrong_address_look_alike_at_log_in(
    people: dict[str, Person], work: Any, email: str
) -> None:
    def attempt(email: str) -> tuple[HttpResponse, Work]:
        with work() as done:
            answer = Client().post("/me/login/", {"login": email, "password": "wrong horse battery"})
        return answer, done

    known, known_work = attempt("known@example.com")
    other, other_work = attempt(email)
    assert known.status_code == other.status_code == 200
    assert body(known, "known@example.com") == body(other, email, email.lower())
    assert headers(known) == headers(other)
    assert known_work == other_work
    assert len(known_work.hashes) == 1
    right = {"login": "known@example.com", "password": factories.PASSWORD}
    assert Client().post("/me/login/", right).status_code == 302


@pytest.mark.parametrize("email", ["unknown@example.com", "retired@example.com"])
def test_an_address_that_nobody_has_gets_a_mail_too(
    people: dict[str, Person], work: Any, mailoutbox: list[EmailMessage], email: str
) -> None:
    """The mail costs by far the most; beside it a known person costs two look-ups by an index."""

    def attempt(email: str) -> tuple[HttpResponse, Work]:
        with work() as done:
            answer = Client().post("/me/password/reset/", {"email": email}, follow=True)
        return answer, done

    known, known_work = attempt("known@example.com")
    other, other_work = attempt(email)
    assert known.redirect_chain == other.redirect_chain  # type: ignore[attr-defined]
    assert body(known, "known@example.com") == body(other, email)
    assert (known_work.hashes, known_work.mails) == (other_work.hashes, other_work.mails) == ([], 1)
    assert known_work.statements - other_work.statements <= 2
    assert [mail.to for mail in mailoutbox] == [["known@example.com"], [email]]
    assert "/key/" in mailoutbox[0].body
    assert "/key/" not in mailoutbox[1].body


def sign_up(email: str, client: Client | None = None) -> HttpResponse:
    form = {"email": email, "password1": "tall green ladder", "password2": "tall green ladder"}
    return (client or Client()).post("/me/signup/", form, follow=True)


@pytest.fixture
def mail_server(settings: Any) -> None:
    """What EMAIL_URL changes."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.mark.parametrize("taken", ["known@example.com", "retired@example.com", "KNOWN@Example.com"])
def test_signing_up_tells_nobody_whether_an_address_is_taken(
    people: dict[str, Person], mail_server: None, work: Any, mailoutbox: list[EmailMessage], taken: str
) -> None:
    """The owner hears of it; a new row costs some statements, which beside a hash and a mail are nothing."""
    answers, works = [], []
    for email in ("unknown@example.com", taken):
        with work() as done:
            answers.append(sign_up(email))
        works.append(done)
    new, known = answers
    assert new.redirect_chain == known.redirect_chain == [("/me/confirm-email/", 302)]  # type: ignore[attr-defined]
    assert body(new, "unknown@example.com") == body(known, taken, taken.lower())
    assert [(len(each.hashes), each.mails) for each in works] == [(1, 1), (1, 1)]
    assert [mail.to for mail in mailoutbox] == [["unknown@example.com"], [taken.lower()]]
    assert "/confirm-email/" in mailoutbox[0].body
    assert "/confirm-email/" not in mailoutbox[1].body
    assert Person.objects.count() == 3
    with work() as done:  # somebody tried the same address a moment ago, so that no second mail goes out
        again = sign_up(taken)
    assert body(again, taken, taken.lower()) == body(new, "unknown@example.com")
    assert (len(done.hashes), done.mails) == (1, 0)


def test_the_owner_of_a_new_address_finishes_with_the_mail_and_goes_on_where_they_were(
    cast: Cast, mail_server: None, mailoutbox: list[EmailMessage]
) -> None:
    _invitation, text = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    client = Client()
    client.get(f"/invite/{text}/")
    sign_up("new@example.com", client)
    assert client.get("/me/tokens/").status_code == 302  # not in yet
    link = re.search(r"/me/confirm-email/\S+", str(mailoutbox[0].body))
    assert link
    answer = client.post(link[0])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/invite/")
    assert client.get("/me/tokens/").status_code == 200


def test_the_link_of_a_mail_signs_nobody_else_in(
    db: None, mail_server: None, mailoutbox: list[EmailMessage]
) -> None:
    sign_up("new@example.com")
    link = re.search(r"/me/confirm-email/\S+", str(mailoutbox[0].body))
    assert link
    other = Client()
    other.post(link[0])
    assert other.get("/me/tokens/").status_code == 302
    form = {"login": "new@example.com", "password": "tall green ladder"}
    assert other.post("/me/login/", form).headers["Location"] == "/"
    assert other.get("/me/tokens/").status_code == 200


def test_the_first_operator_waits_for_no_mail(db: None, mail_server: None) -> None:
    """They may be the one to mend the mail server."""
    client = Client()
    client.get(f"/bootstrap/{people_service.make_operator_link()}/")
    assert sign_up("first@example.com", client).redirect_chain == [("/bootstrap/", 302)]  # type: ignore[attr-defined]
    assert client.get("/me/tokens/").status_code == 200


def test_without_a_mail_server_signing_up_says_that_an_address_is_taken(people: dict[str, Person]) -> None:
    """docs/adr/0004: who signs up at once cannot be told anything else. The twin of the above."""
    assert "already" in sign_up("known@example.com").content.decode()
    assert sign_up("unknown@example.com").redirect_chain == [("/", 302)]  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["well formed", "typing error"])
def test_the_token_door_does_the_same_for_every_name(cast: Cast, shape: str) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    wrong = credentials.make(credentials.USER_PREFIX) if shape == "well formed" else user.password[:-1] + "!"
    answers = []
    for name in (user.username, "nobody000000", "", cast.owner.email, "x" * 500):
        header = "Basic " + base64.b64encode(f"{name}:{wrong}".encode()).decode()
        query = urlencode({"service": settings.TOKEN_SERVICE, "scope": "repository:team/app:pull"})
        with asked_of_the_driver() as statements:
            answers.append(ask(None, HTTP_AUTHORIZATION=header, QUERY_STRING=query))
        assert len(statements) == (1 if shape == "well formed" else 0)
    assert [status for status, _body in answers] == [401] * len(answers)
    assert all(each == answers[0] for each in answers)
    assert ask(user)[0] == 200


def test_the_password_of_one_user_says_nothing_about_other_names(cast: Cast, work: Any) -> None:
    """Somebody holds a good password; with it no other name may be told from one that nobody has."""
    user, other = (factories.RegistryUserFactory(account=cast.account) for _ in range(2))
    gone = factories.RegistryUserFactory(account=cast.account)
    users.disable(by=cast.by("owner"), user=gone)
    answers, works = [], []
    for name in (other.username, gone.username, "nobody000000"):
        user.username = name
        with work() as done:
            answers.append(ask(user, "repository:team/app:pull"))
        works.append(done)
    assert all(each == answers[0] for each in answers)
    assert all(each == works[0] for each in works)


def test_links_that_were_never_made_were_spent_or_are_too_old_look_alike(cast: Cast, work: Any) -> None:
    by, client = cast.by("owner"), cast.client("stranger")
    _open, text = invitations.invite(by=by, account=cast.account, role="viewer")
    old, old_text = invitations.invite(by=by, account=cast.account, role="viewer")
    Invitation.objects.filter(pk=old.pk).update(expires_at=old.created_at)
    withdrawn, withdrawn_text = invitations.invite(by=by, account=cast.account, role="viewer")
    invitations.withdraw(by=by, invitation=withdrawn)
    used, used_text = invitations.invite(by=by, account=cast.account, role="viewer")
    invitations.accept(by=cast.by("viewer"), invitation=used)
    void, void_text = invitations.invite(by=by, account=cast.account, role="viewer")
    Invitation.objects.filter(pk=void.pk).update(inviter=cast.manager)
    pages, works = [], []
    for link in (old_text, withdrawn_text, used_text, void_text, credentials.make(credentials.LINK_PREFIX)):
        with work() as done:
            answer = client.get(f"/invite/{link}/")
        pages.append((answer.status_code, body(answer, link)))
        works.append(done)
    assert pages[0][0] == 404
    assert all(each == pages[0] for each in pages)
    assert all(each == works[0] for each in works)
    assert client.get(f"/invite/{text}/").status_code == 302


def test_api_tokens_that_were_never_made_or_were_revoked_look_alike(cast: Cast, work: Any) -> None:
    token, revoked = api_tokens.create(by=cast.by("owner"), name="CI", expires_at=None, confirmed=True)
    _live, text = api_tokens.create(by=cast.by("owner"), name="CI", expires_at=None, confirmed=True)
    api_tokens.revoke(by=cast.by("owner"), token=token)
    answers, works = [], []
    for key in (revoked, credentials.make(credentials.API_PREFIX)):
        with work() as done:
            answer = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {key}"})
        answers.append((answer.status_code, answer.content, headers(answer)))
        works.append(done)
    assert answers[0][0] == 401
    assert answers[0] == answers[1]
    assert works[0] == works[1]
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {text}"}).status_code == 200


PAGES = ["/a/{}/images/", "/a/{}/users/", "/a/{}/settings/", "/a/{}/activity/", "/a/{}/users/wsbq5k5ysqyt/",
         "/api/v1/accounts/{}/", "/api/v1/accounts/{}/users/", "/api/v1/accounts/{}/namespaces/"]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_an_account_of_others_looks_like_one_that_does_not_exist(cast: Cast, work: Any, page: str) -> None:
    factories.RegistryUserFactory(account=cast.account, username="wsbq5k5ysqyt")
    client = cast.client("stranger")
    answers, works = [], []
    client.get(page.format("elsewhere"))  # whatever the first request of a session loads
    for handle in ("team-red", "nobody-here"):
        with work() as done:
            answer = client.get(page.format(handle))
        answers.append((answer.status_code, body(answer, handle)))
        works.append(done)
    assert answers[0][0] == 404
    assert answers[0] == answers[1]
    assert works[0] == works[1]
    assert cast.client("owner").get(page.format("team-red")).status_code == 200
